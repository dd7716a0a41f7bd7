//! `model`: models, schemas or connections of a database are made per request and registered.

use super::kept::{Advise, Kept};
use super::{Context, Found, Rule};
use crate::growth::GrowthSite;

/// Packages that map objects to databases, and drivers.
const MAPPERS: [&str; 14] = [
    "sequelize",
    "mongoose",
    "mongodb",
    "typeorm",
    "objection",
    "bookshelf",
    "knex",
    "waterline",
    "pg",
    "pg-pool",
    "mysql",
    "mysql2",
    "@mikro-orm/core",
    "ioredis",
];

const WORDS: Advise = Advise {
    what: "registry",
    entries: "models or connections",
    why: "{place} makes a model or a connection each time it runs, and `{holder}` registers every one of them for as \
          long as the program lives, with its schema, its compiled functions and its sockets.",
    fix: "Make models and connections once, at start-up, and look them up afterwards: \
          `const model = db.models[name] ?? db.define(name, columns)`. What is per tenant belongs into a map with \
          a bound that closes what it drops: `await connection.close()`. A client taken from a pool goes back in \
          `finally { client.release() }`.",
};

/// Whether the site is a registry of models or connections.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let kept = Kept::of(context, site)?;
    let classes = ["ModelManager", "ConnectionManager", "DataSource", "Mongoose", "Sequelize"];
    let by_class = kept.above.iter().take(2).any(|up| classes.contains(&up.class.as_str()));
    (by_class || kept.is_of(&MAPPERS)).then(|| kept.found(Rule::Model, WORDS))
}
