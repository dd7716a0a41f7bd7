//! Writes a plan as a `.heapsnapshot`, section by section, through one small buffer.

use std::io::{self, Write};

use super::plan::{At, Edge, Plan, mix};
use super::template::OwnString;

/// What is handed to the file at once.
const BUFFER: usize = 1 << 18;

/// From how many blocks the length of all is estimated.
const SAMPLES: u64 = 256;

const SECTIONS: [&str; 4] = [
    ",\n\"nodes\":[",
    "],\n\"edges\":[",
    "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[",
    "],\n\"strings\":[",
];

/// Writes the file. The memory it takes does not depend on how long the file becomes.
///
/// # Errors
/// When the output cannot be written.
pub fn write(plan: &Plan, out: impl Write) -> io::Result<()> {
    let mut page = Page { out, text: Vec::with_capacity(BUFFER + 4096) };
    let counts = plan.counts();
    let layout = plan.layout;
    page.add("{\"snapshot\":")?;
    page.add(&layout.header(counts.nodes, counts.edges))?;

    page.add(SECTIONS[0])?;
    plan.visit(|ordinal, at| {
        page.separate(ordinal, layout.between());
        node(plan, ordinal, at, &mut page.text);
        page.flush_when_full()
    })?;
    page.add(layout.after_last())?;

    page.add(SECTIONS[1])?;
    let mut written = 0;
    plan.visit(|ordinal, at| {
        plan.edges(ordinal, at, |e| {
            page.separate(written, layout.between());
            written += 1;
            edge(plan, e, &mut page.text);
            page.flush_when_full()
        })
    })?;
    page.add(layout.after_last())?;

    page.add(SECTIONS[2])?;
    let mut written = 0;
    plan.visit(|ordinal, at| {
        if plan.drawn(at).place.is_some() {
            page.separate(written, layout.between());
            written += 1;
            location(plan, ordinal, at, &mut page.text);
        }
        page.flush_when_full()
    })?;
    page.add(layout.after_last())?;

    page.add(SECTIONS[3])?;
    strings(plan, &mut page)?;
    page.add("]}")?;
    page.flush()
}

/// Text on its way to the file.
struct Page<W> {
    out: W,
    text: Vec<u8>,
}

impl<W: Write> Page<W> {
    fn add(&mut self, text: &str) -> io::Result<()> {
        self.text.extend_from_slice(text.as_bytes());
        self.flush_when_full()
    }

    fn separate(&mut self, already: u64, between: &str) {
        if already > 0 {
            self.text.extend_from_slice(between.as_bytes());
        }
    }

    /// A string after `between`, of a text that is escaped as JSON already.
    fn string(&mut self, between: &str, add: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.text.extend_from_slice(between.as_bytes());
        self.text.push(b'"');
        add(&mut self.text);
        self.text.push(b'"');
        self.flush_when_full()
    }

    fn flush_when_full(&mut self) -> io::Result<()> {
        if self.text.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.text)?;
        self.text.clear();
        self.out.flush()
    }
}

fn node(plan: &Plan, ordinal: u64, at: At, text: &mut Vec<u8>) {
    number(plan.drawn(at).kind as u64, text);
    text.push(b',');
    number(plan.name(ordinal, at), text);
    text.push(b',');
    number(id(ordinal), text);
    text.push(b',');
    number(plan.size(ordinal, at), text);
    text.push(b',');
    number(plan.edge_count(at), text);
    text.extend_from_slice(plan.layout.node_tail().as_bytes());
}

/// V8 gives its own objects odd ids, in the order of their birth.
fn id(ordinal: u64) -> u64 {
    2 * ordinal + 1
}

fn edge(plan: &Plan, edge: Edge, text: &mut Vec<u8>) {
    number(edge.kind as u64, text);
    text.push(b',');
    number(edge.name, text);
    text.push(b',');
    number(edge.to * plan.layout.node_width(), text);
}

fn location(plan: &Plan, ordinal: u64, at: At, text: &mut Vec<u8>) {
    let Some(place) = plan.drawn(at).place else { return };
    number(ordinal * plan.layout.node_width(), text);
    for value in [place.script, place.line, place.column] {
        text.push(b',');
        number(u64::from(value), text);
    }
}

fn strings<W: Write>(plan: &Plan, page: &mut Page<W>) -> io::Result<()> {
    let between = plan.layout.between_strings();
    for (n, string) in plan.base.strings.iter().enumerate() {
        // Words, paths and numbers: the base draws nothing that JSON would escape.
        let between = if n == 0 { "" } else { between };
        page.string(between, |text| text.extend_from_slice(string.as_bytes()))?;
    }
    for n in 0..plan.numbers() {
        page.string(between, |text| number(n, text))?;
    }
    for block in 0..plan.blocks {
        for (n, &kind) in plan.template.own_strings.iter().enumerate() {
            page.string(between, |text| own_string(plan, kind, block, n as u64, text))?;
        }
    }
    let Some(pairs) = plan.pairs else { return Ok(()) };
    for n in 0..plan.pair_count() {
        let block = n * pairs.every;
        let key = id(plan.place(block, pairs.key));
        let value = id(plan.place(block, pairs.value));
        let table = id(u64::from(pairs.table.0));
        // The table counts its edges; the key has the ephemeron after its others.
        let edges_of_key = plan.template.slots[usize::from(pairs.key.0)].links.len() as u64 + 1;
        for edge in [3 * n + 3, edges_of_key] {
            let name = format!(
                "{edge} / part of key (Session @{key}) -> value (Payload @{value}) pair in WeakMap (table @{table})"
            );
            page.string(between, |text| text.extend_from_slice(name.as_bytes()))?;
        }
    }
    Ok(())
}

fn own_string(plan: &Plan, kind: OwnString, block: u64, n: u64, text: &mut Vec<u8>) {
    match kind {
        OwnString::Url => {
            text.extend_from_slice(b"/orders/7?n=");
            number(block, text);
        }
        OwnString::LogLine => {
            text.extend_from_slice(br#"{\"level\":30,\"req\":"#);
            number(block, text);
            text.extend_from_slice(br#",\"msg\":\"caf\u00e9 \u2014 "#);
            let words = plan.base.words;
            let chosen = mix(block, n);
            for k in 0..15 + chosen % 16 {
                let word = u64::from(words.first) + mix(chosen, k) % u64::from(words.count);
                text.extend_from_slice(plan.base.strings[word as usize].as_bytes());
                text.push(b' ');
            }
            text.extend_from_slice(br#"\"}\n"#);
        }
    }
}

/// Decimal digits. A file has a thousand million of them, so there is no formatter in between.
fn number(mut value: u64, text: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

impl Plan {
    /// How many bytes the base takes, and a block on average, for as many blocks as are planned.
    pub(super) fn measure(&self) -> (u64, f64) {
        let between = self.layout.between().len();
        let mut text = Vec::new();
        let counts = self.counts();
        text.extend_from_slice(self.layout.header(counts.nodes, counts.edges).as_bytes());
        for section in SECTIONS {
            text.extend_from_slice(section.as_bytes());
        }
        let mut separators = 0;
        for (n, drawn) in self.base.nodes.iter().enumerate() {
            let (ordinal, at) = (n as u64, At::Base(super::template::Node(n as u32)));
            node(self, ordinal, at, &mut text);
            // Only the node's own edges: those to the blocks are counted with them.
            let own = drawn.links.len();
            let mut seen = 0;
            let _ = self.edges(ordinal, at, |e| {
                seen += 1;
                if seen > own {
                    return Err(());
                }
                edge(self, e, &mut text);
                Ok(())
            });
            location(self, ordinal, at, &mut text);
            separators += 1 + own + usize::from(drawn.place.is_some());
        }
        for string in &self.base.strings {
            text.extend_from_slice(string.as_bytes());
            separators += 2;
        }
        let fixed = text.len() + separators * between;

        let samples = SAMPLES.min(self.blocks);
        let mut sampled = 0;
        for i in 0..samples {
            sampled += self.measure_block(i * self.blocks / samples);
        }
        (fixed as u64, sampled as f64 / samples as f64)
    }

    fn measure_block(&self, block: u64) -> usize {
        let between = self.layout.between().len();
        let mut text = Vec::new();
        let mut records = 0;
        for (n, drawn) in self.template.slots.iter().enumerate() {
            let slot = super::template::SlotId(n as u8);
            let at = At::Block { block, slot };
            let ordinal = self.place(block, slot);
            node(self, ordinal, at, &mut text);
            let _: Result<(), ()> = self.edges(ordinal, at, |e| {
                edge(self, e, &mut text);
                records += 1;
                Ok(())
            });
            location(self, ordinal, at, &mut text);
            records += 1 + usize::from(drawn.place.is_some());
        }
        // A holder of every hundredth block has one sampled block in a hundred on average: too few to count.
        for holder in self.holders.iter().filter(|h| h.every == 1) {
            edge(self, self.held_edge(holder, block), &mut text);
            records += 1;
        }
        for (n, &kind) in self.template.own_strings.iter().enumerate() {
            own_string(self, kind, block, n as u64, &mut text);
            text.extend_from_slice(b"\"\"");
            records += 1;
        }
        if self.holders.iter().any(|h| h.as_text) {
            number(block, &mut text);
            text.extend_from_slice(b"\"\"");
            records += 1;
        }
        text.len() + records * between
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn digits_are_those_of_the_formatter() {
        for value in [0, 7, 10, 99, 100, 12_345, u64::from(u32::MAX), u64::MAX] {
            let mut text = Vec::new();
            number(value, &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), value.to_string());
        }
    }
}
