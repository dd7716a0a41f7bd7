//! The analyses of a graph as sections, to be kept beside it and taken back.
//!
//! What is taken back is lent by somebody and may be nonsense in every number (see
//! [`HeapGraph::lent`](leakline_heap::HeapGraph::lent)): look-ups stay inside the columns whatever they
//! hold, and [`Analysis::check`] says whether walks over everything may rely on them.

use leakline_heap::{Column, HeapGraph, SectionSink, Sections, SizeColumn};
use serde::{Deserialize, Serialize};

use crate::analysis::Analysis;
use crate::bits::BitColumn;
use crate::class::{Class, ClassIndex, Interfaces};
use crate::distance::Distances;
use crate::dominators::Dominators;
use crate::essential::EssentialEdges;
use crate::retained::RetainedSizes;
use crate::scripts::Scripts;

/// What is no column.
#[derive(Serialize, Deserialize)]
struct Rest {
    classes: Vec<Class>,
    interfaces: Interfaces,
    scripts: Scripts,
}

impl Analysis {
    /// Keeps the analyses, and where the graph's scripts come from.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn store<S: SectionSink>(&self, scripts: &Scripts, sink: &mut S) -> Result<(), S::Error> {
        sink.put("essential", self.essential.bits.words())?;
        sink.put("distance", self.distances.raw.as_slice())?;
        self.shallow.store("shallow", sink)?;
        self.retained.sizes.store("retained", sink)?;
        let tree = &self.dominators;
        sink.put("dominator", tree.immediate.as_slice())?;
        sink.put("dominator.order", tree.order.as_slice())?;
        sink.put("dominator.position", tree.position.as_slice())?;
        sink.put("dominator.subtree", tree.subtree.as_slice())?;
        sink.put("class", self.classes.class_of.as_slice())?;
        sink.put("detached", self.classes.detached.words())?;
        let rest = Rest {
            classes: self.classes.classes.clone(),
            interfaces: self.classes.interfaces.clone(),
            scripts: scripts.clone(),
        };
        // Names and numbers always can be written as JSON.
        sink.put("rest", &serde_json::to_vec(&rest).unwrap_or_default())
    }

    /// Takes the analyses of `graph` back. `None` where a section is missing or of another length.
    pub fn restore(sections: &impl Sections, graph: &HeapGraph) -> Option<(Self, Scripts)> {
        let (n, e) = (graph.node_count(), graph.edge_count());
        let by_node = |name: &str| sections.column::<u32>(name).filter(|c| c.len() == n);
        let sizes = |name: &str| SizeColumn::restore(name, sections).filter(|c| c.len() == n);
        let bits = |name: &str, len: usize| {
            let words: Column<u64> = sections.column(name)?;
            (words.len() == len.div_ceil(64)).then(|| BitColumn::from(words))
        };
        let rest: Column<u8> = sections.column("rest")?;
        let rest: Rest = serde_json::from_slice(rest.as_slice()).ok()?;
        let analysis = Self {
            essential: EssentialEdges { bits: bits("essential", e)? },
            distances: Distances {
                raw: sections.column("distance").filter(|c: &Column<i32>| c.len() == n)?,
            },
            shallow: sizes("shallow")?,
            retained: RetainedSizes { sizes: sizes("retained")? },
            dominators: Dominators {
                immediate: by_node("dominator")?,
                order: by_node("dominator.order")?,
                position: by_node("dominator.position")?,
                subtree: by_node("dominator.subtree")?,
                steps: 0,
            },
            classes: ClassIndex {
                class_of: by_node("class")?,
                classes: rest.classes,
                detached: bits("detached", n)?,
                interfaces: rest.interfaces,
            },
        };
        Some((analysis, rest.scripts))
    }

    /// Whether every number that points into a table points inside it, and the dominator tree is one: every
    /// node stands below another one that stands before it. O(nodes).
    pub fn check(&self) -> bool {
        let n = self.classes.class_of.len();
        let tree = &self.dominators;
        let classes = self.classes.classes.len() as u32;
        let (order, position) = (tree.order.as_slice(), tree.position.as_slice());
        let (immediate, subtree) = (tree.immediate.as_slice(), tree.subtree.as_slice());
        self.classes.class_of.as_slice().iter().all(|&class| class < classes)
            && [order, position, immediate, subtree].iter().all(|column| column.len() == n)
            // Nothing stands above the root.
            && order.first() == Some(&0)
            && immediate.first() == Some(&0)
            && (0..n).all(|at| {
                let node = order[at] as usize;
                let inside = node < n && position[node] as usize == at;
                let fits = subtree[at] >= 1 && subtree[at] as usize <= n - at;
                inside
                    && fits
                    && position.get(immediate[node] as usize).is_some_and(|&above| {
                        let above = above as usize;
                        let end = above + subtree.get(above).map_or(0, |&len| len as usize);
                        (at == 0 || above < at) && at + subtree[at] as usize <= end
                    })
            })
    }
}
