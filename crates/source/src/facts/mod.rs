//! What a file says, flattened: the parts of the syntax tree that questions about leaks need.
//!
//! The parser's tree borrows from an arena and costs some twenty times the source; these columns
//! are owned, small and shared between questions. Values refer to each other by index, children
//! before parents, so every pass over them is one loop without recursion.

mod build;
mod flow;
mod once;
mod relate;

pub(crate) use build::build;
pub(crate) use flow::Flow;

/// Index of a value in [`FileFacts::values`].
pub(crate) type ValueId = u32;
/// Index of a string in [`FileFacts::names`].
pub(crate) type NameId = u32;
/// "No such index" in any column.
pub(crate) const NONE: u32 = u32::MAX;

/// An expression, as far as it can denote something of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// A variable of this file.
    Symbol(u32),
    /// A name no scope of this file declares.
    Global(NameId),
    /// `this`, by the function that binds it (index of [`Function`]), or `NONE` at top level.
    This(u32),
    /// An instance of class number so-and-so: `this` in a field initialiser.
    Instance(u32),
    /// `module.exports`, `exports`, or the module itself as the target of an `export`.
    Exports,
    /// `require('x')`, `import('x')`, the namespace of `import … from 'x'`.
    Module(NameId),
    /// A function literal or declaration.
    Function(u32),
    /// A class.
    Class(u32),
    /// An object literal.
    Object(u32),
    /// An array literal; the spread elements are in [`FileFacts::parts`].
    Array { parts: (u32, u32) },
    /// A call; index in [`FileFacts::calls`].
    Call(u32),
    /// `new X(…)`; index in [`FileFacts::calls`].
    New(u32),
    /// `object.key`; the key is `NONE` when it is computed.
    Member { object: ValueId, key: NameId },
    /// Either of two values.
    Either(ValueId, ValueId),
    /// A string.
    Text(NameId),
    /// A template with holes: what is certain at its start and end.
    Template { head: NameId, tail: NameId },
    /// Parameter `index` of a function.
    Param { function: u32, index: u32 },
}

/// Bytes of the source, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Range {
    pub start: u32,
    pub end: u32,
}

impl Range {
    pub fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }
    pub fn len(self) -> u32 {
        self.end - self.start
    }
}

/// A function, method or arrow.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub range: Range,
    /// Where V8 says that the closure starts: the `(` of the parameter list, the start of an arrow
    /// (its `async` included). Checked against snapshots of Node 20 and 24.
    pub v8_start: u32,
    /// The function around it, or `NONE`.
    pub parent: u32,
    /// Its own name or the one it is bound to, or `NONE`.
    pub name: NameId,
    /// The class or prototype owner's name that goes before a method's name, or `NONE`.
    pub owner_name: NameId,
    /// The call that it is a direct argument of, or `NONE`; index in [`FileFacts::calls`].
    pub argument_of: u32,
    /// It is called where it is written, so it runs once per run of what is around it.
    pub invoked_in_place: bool,
    /// Its only mention is a call that runs once: `main()` at top level.
    pub runs_once: bool,
    pub this: This,
    /// Values it returns.
    pub returns: Vec<ValueId>,
}

/// What `this` is inside a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum This {
    /// Unknown; a plain function used as a constructor is its own answer.
    Own,
    /// As around it (arrows).
    Outer,
    /// An instance of the class.
    Instance(u32),
    /// The class itself (static methods).
    Static(u32),
    /// The object literal around a method.
    Object(u32),
    /// An instance of the constructor function (`F.prototype.m = function …`), by its symbol.
    Prototype(u32),
}

/// A class.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub range: Range,
    pub name: NameId,
    /// What it extends, or `NONE`.
    pub heritage: ValueId,
    /// Its constructor, or `NONE`.
    pub constructor: u32,
}

/// A call or a construction.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub range: Range,
    pub callee: ValueId,
    /// The text of the callee.
    pub callee_range: Range,
    /// For `a.b(…)`: where `a` ends and `b` starts; both zero otherwise.
    pub object_end: u32,
    pub property_start: u32,
    /// Arguments in [`FileFacts::parts`]; a spread or uninteresting one is `NONE`.
    pub args: (u32, u32),
}

/// `target = value`, in any of its spellings (declaration, destructuring, field, export, import).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assign {
    pub target: ValueId,
    pub value: ValueId,
    /// The whole assignment; empty for those no statement spells.
    pub range: Range,
    /// It is an assignment expression: it can run more than once.
    pub expression: bool,
}

/// A variable.
#[derive(Debug, Clone)]
pub(crate) struct Symbol {
    pub name: NameId,
    /// The scope that declares it.
    pub scope: Range,
    /// That scope is the file's own.
    pub top_level: bool,
    /// The function it belongs to, or `NONE`.
    pub function: u32,
}

/// An object literal.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// Names of its properties, in order.
    pub keys: Vec<NameId>,
    /// Values that are spread into it.
    pub spreads: Vec<ValueId>,
}

/// All facts about a file.
#[derive(Debug, Default)]
pub(crate) struct FileFacts {
    pub names: Vec<Box<str>>,
    pub values: Vec<Value>,
    /// Source of each value; empty for those no expression spells.
    pub ranges: Vec<Range>,
    pub parts: Vec<ValueId>,
    pub functions: Vec<Function>,
    pub classes: Vec<Class>,
    pub objects: Vec<Object>,
    pub calls: Vec<Call>,
    pub assigns: Vec<Assign>,
    pub symbols: Vec<Symbol>,
    /// `delete target`: the object whose property goes.
    pub deletes: Vec<(ValueId, u32)>,
    /// `target += value`: what is added to, and the whole of it.
    pub appends: Vec<(ValueId, Range)>,
    /// `import(…)` expressions.
    pub imports: Vec<Range>,
    /// Statements that hold no others, in order of their start.
    pub statements: Vec<Range>,
    /// `await x` and the heads of `for await (… of x)`, each with its function.
    pub awaits: Vec<(Range, u32)>,
    /// What stands around expressions.
    pub flow: Flow,
}

impl FileFacts {
    pub fn name(&self, id: NameId) -> &str {
        self.names.get(id as usize).map_or("", |name| &**name)
    }

    pub fn value(&self, id: ValueId) -> Option<Value> {
        self.values.get(id as usize).copied()
    }

    pub fn range(&self, id: ValueId) -> Range {
        self.ranges.get(id as usize).copied().unwrap_or_default()
    }

    pub fn parts(&self, (start, end): (u32, u32)) -> &[ValueId] {
        self.parts.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The smallest function that contains the offset, as an index.
    pub fn function_at(&self, offset: u32) -> Option<u32> {
        // Functions are in order of their start and nest, so the last one that starts before the
        // offset contains it, or one of its parents does.
        let mut at = (self.functions.partition_point(|function| function.range.start <= offset)
            as u32)
            .checked_sub(1)?;
        loop {
            let function = self.functions.get(at as usize)?;
            if function.range.contains(offset) {
                return Some(at);
            }
            at = function.parent;
        }
    }

    /// The function whose closures V8 places at the offset; failing that, the smallest around it.
    pub fn closure_at(&self, offset: u32) -> Option<(u32, bool)> {
        let exact = self.functions.iter().position(|function| function.v8_start == offset);
        match exact {
            Some(at) => Some((at as u32, true)),
            None => self.function_at(offset).map(|at| (at, false)),
        }
    }

    /// The class whose constructor V8 places at the offset: one without a constructor of its own is
    /// placed at its start.
    pub fn class_at(&self, offset: u32) -> Option<u32> {
        let at = self.classes.iter().position(|class| {
            let constructor = self.functions.get(class.constructor as usize);
            class.range.start == offset || constructor.is_some_and(|it| it.v8_start == offset)
        });
        at.map(|at| at as u32)
    }

    /// The smallest simple statement that contains the offset.
    pub fn statement_at(&self, offset: u32) -> Option<Range> {
        // A statement may hold functions with statements of their own, so the last one that starts
        // before the offset may end before it; the one around it starts earlier.
        let to = self.statements.partition_point(|range| range.start <= offset);
        let before = self.statements.get(..to)?.iter().rev();
        before.copied().find(|range| range.contains(offset))
    }

    /// The nearest function around the offset that can run more than once.
    pub fn repeated_function_at(&self, offset: u32) -> Option<u32> {
        let mut at = self.function_at(offset)?;
        loop {
            let function = self.functions.get(at as usize)?;
            if !function.invoked_in_place && !function.runs_once {
                return Some(at);
            }
            at = function.parent;
        }
    }

    /// What the file imports, as it is written, each once: `require('x')`, `from 'x'`, `import('x')`.
    pub fn imports(&self) -> Vec<&str> {
        let sources = self.values.iter().filter_map(|value| match value {
            Value::Module(source) => Some(self.name(*source)),
            _ => None,
        });
        let mut out: Vec<&str> = sources.collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The name a call goes by: the method's, or the function's own.
    pub fn callee_name(&self, call: &Call) -> Option<&str> {
        match self.value(call.callee)? {
            Value::Member { key, .. } if key != NONE => Some(self.name(key)),
            Value::Global(name) => Some(self.name(name)),
            Value::Symbol(symbol) => {
                self.symbols.get(symbol as usize).map(|symbol| self.name(symbol.name))
            }
            _ => None,
        }
    }

    /// The object a method is called on.
    pub fn callee_object(&self, call: &Call) -> Option<ValueId> {
        match self.value(call.callee)? {
            Value::Member { object, .. } => Some(object),
            _ => None,
        }
    }
}
