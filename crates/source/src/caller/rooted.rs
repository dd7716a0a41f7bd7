//! The user's side: which values come from a package.
//!
//! What a package exports, members of it, what calls of it give back, and what it hands to the
//! functions that it is given: all of these are rooted in it. Over the linked user files, in whole
//! passes until nothing changes.

use rustc_hash::{FxHashMap, FxHashSet};

use super::package::package_name;
use crate::facts::{FileFacts, NONE, Value, ValueId};
use crate::link::{FileId, Linked, Place, PlaceId};

/// Passes over the files; one carries a root over a call or a file.
const MAX_PASSES: usize = 8;

/// The values that are rooted in the packages, and how far each is from the one meant.
pub(super) struct Rooted {
    /// Per file, per value: distance of the nearest package, plus one; zero for none.
    values: Vec<Vec<u32>>,
}

impl Rooted {
    /// `packages`: names with their distance.
    pub fn of(linked: &Linked, packages: &FxHashMap<String, u32>) -> Rooted {
        let mut rooted = Rooted {
            values: linked.files.iter().map(|it| vec![0; it.facts().values.len()]).collect(),
        };
        let mut places: FxHashMap<PlaceId, u32> = FxHashMap::default();
        for _ in 0..MAX_PASSES {
            let mut changed = false;
            for (file, loaded) in linked.files.iter().enumerate() {
                changed |=
                    rooted.pass(linked, file as FileId, loaded.facts(), packages, &mut places);
            }
            if !changed {
                break;
            }
        }
        rooted
    }

    /// The distance of the package that the value comes from.
    pub fn distance(&self, file: FileId, value: ValueId) -> Option<u32> {
        let found = self.values.get(file as usize)?.get(value as usize)?;
        found.checked_sub(1)
    }

    fn raw(&self, file: FileId, value: ValueId) -> u32 {
        self.distance(file, value).map_or(0, |it| it + 1)
    }

    fn pass(
        &mut self,
        linked: &Linked,
        file: FileId,
        facts: &FileFacts,
        packages: &FxHashMap<String, u32>,
        places: &mut FxHashMap<PlaceId, u32>,
    ) -> bool {
        let mut changed = false;
        for (id, &value) in facts.values.iter().enumerate() {
            if self.values[file as usize][id] != 0 {
                continue;
            }
            let mut root = match value {
                Value::Module(source) => package_name(facts.name(source))
                    .and_then(|name| packages.get(name))
                    .map_or(0, |distance| distance + 1),
                Value::Member { object, .. } => self.raw(file, object),
                Value::Call(call) | Value::New(call) => {
                    facts.calls.get(call as usize).map_or(0, |call| self.raw(file, call.callee))
                }
                Value::Either(left, right) => self.raw(file, left).max(self.raw(file, right)),
                _ => 0,
            };
            if root == 0 {
                let known = linked.denotes(file, id as ValueId).iter();
                root = known.filter_map(|place| places.get(place)).copied().min().unwrap_or(0);
            }
            if root != 0 {
                self.values[file as usize][id] = root;
                changed = true;
            }
        }
        for assign in &facts.assigns {
            let root = self.raw(file, assign.value);
            if root != 0 {
                for place in targets(linked, file, facts, assign.target) {
                    changed |= places.insert(place, root).is_none();
                }
            }
        }
        // What a package hands to the functions it is given comes from it as well.
        for call in &facts.calls {
            let root = self.raw(file, call.callee);
            if root == 0 {
                continue;
            }
            for &arg in facts.parts(call.args) {
                for &place in linked.denotes(file, arg) {
                    let Some(Place::Function(owner, function)) = linked.place(place) else {
                        continue;
                    };
                    for index in 0..4 {
                        if let Some(param) = linked.find(Place::Param(owner, function, index)) {
                            changed |= places.insert(param, root).is_none();
                        }
                    }
                }
            }
        }
        changed
    }
}

/// The places that an assignment writes, not what they hold.
fn targets(linked: &Linked, file: FileId, facts: &FileFacts, target: ValueId) -> Vec<PlaceId> {
    match facts.value(target) {
        Some(Value::Symbol(symbol)) => {
            linked.find(Place::Symbol(file, symbol)).into_iter().collect()
        }
        Some(Value::Exports) => linked.find(Place::Exports(file)).into_iter().collect(),
        Some(Value::Member { object, key }) if key != NONE => {
            let Some(key) = linked.name_id(facts.name(key)) else { return Vec::new() };
            let objects: FxHashSet<PlaceId> =
                linked.denotes(file, object).iter().copied().collect();
            objects.into_iter().filter_map(|it| linked.find(Place::Member(it, key))).collect()
        }
        _ => Vec::new(),
    }
}
