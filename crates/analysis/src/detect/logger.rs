//! `logger`: loggers, their children, transports or appenders are made per request and kept.

use super::kept::{Advise, Kept};
use super::{Context, Found, Rule};
use crate::growth::GrowthSite;

/// Packages of loggers.
const LOGGERS: [&str; 12] = [
    "pino",
    "winston",
    "winston-transport",
    "logform",
    "bunyan",
    "log4js",
    "debug",
    "loglevel",
    "signale",
    "consola",
    "tslog",
    "roarr",
];

/// Lists by which a logger keeps what was made for it.
const PARTS: [&str; 8] =
    ["transports", "appenders", "children", "loggers", "pipes", "streams", "instances", "handlers"];

const WORDS: Advise = Advise {
    what: "logger's list",
    entries: "entries",
    why: "{place} makes a logger, a child or a transport each time it runs, and `{holder}` keeps every one of them: \
          loggers are made to live as long as the program.",
    fix: "Make it once, at the top of the module, and pass what belongs to the request with each line: \
          `log.info({ requestId }, 'done')`, or a child that nobody keeps: `const log = base.child({ requestId })` \
          in a variable of the handler. A transport for one request must go with it: \
          `res.once('close', () => logger.remove(transport))`.",
};

/// Whether the site is a list that a logger keeps.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let kept = Kept::of(context, site)?;
    let of_class = kept.above.iter().take(4).any(|up| up.class.ends_with("Logger"));
    let part = kept.own_names().any(|n| PARTS.contains(&n));
    (kept.is_of(&LOGGERS) || (of_class && part)).then(|| kept.found(Rule::Logger, WORDS))
}
