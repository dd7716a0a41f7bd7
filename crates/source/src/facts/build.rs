//! The syntax tree flattened into [`FileFacts`], in a few loops over its nodes (the third
//! stands in `relate`, a fourth for the static scan in `flow`).
//!
//! Node ids are given out when a node is entered, so a parent's id is below its children's: a
//! forward loop sees parents first (functions, what `this` is), a backward loop children first
//! (values). No loop descends, so depth costs nothing here.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, ArrayExpressionElement, Expression};
use oxc_semantic::Semantic;
use oxc_span::{GetSpan, Span};
use oxc_syntax::node::NodeId;
use rustc_hash::FxHashMap;

use super::{
    Call, Class, FileFacts, Function, NONE, NameId, Object, Range, Symbol, This, Value, ValueId,
};

/// Flattens one file.
pub(crate) fn build(semantic: &Semantic<'_>) -> FileFacts {
    let count = semantic.nodes().len();
    let mut builder = Builder {
        semantic,
        facts: FileFacts::default(),
        interned: FxHashMap::default(),
        function_of: vec![NONE; count],
        class_of: vec![NONE; count],
        this_of: vec![Value::This(NONE); count],
        item_of: vec![NONE; count],
        value_of: vec![NONE; count],
    };
    builder.symbols();
    builder.declare();
    builder.evaluate();
    builder.relate();
    builder.once();
    builder.flow();
    builder.facts
}

pub(super) struct Builder<'s, 'a> {
    pub(super) semantic: &'s Semantic<'a>,
    pub(super) facts: FileFacts,
    pub(super) interned: FxHashMap<Box<str>, NameId>,
    /// Per node: the function around it (itself, for a function).
    pub(super) function_of: Vec<u32>,
    /// Per node: the class around it (itself, for a class).
    pub(super) class_of: Vec<u32>,
    /// Per node: what `this` is there.
    pub(super) this_of: Vec<Value>,
    /// Per function, class, object literal or call node: its index in its column.
    pub(super) item_of: Vec<u32>,
    /// Per expression node: its value.
    pub(super) value_of: Vec<ValueId>,
}

pub(super) fn range(span: Span) -> Range {
    Range { start: span.start, end: span.end }
}

impl<'a> Builder<'_, 'a> {
    pub(super) fn intern(&mut self, name: &str) -> NameId {
        if let Some(&id) = self.interned.get(name) {
            return id;
        }
        let id = self.facts.names.len() as NameId;
        self.facts.names.push(name.into());
        self.interned.insert(name.into(), id);
        id
    }

    pub(super) fn push(&mut self, value: Value, range: Range) -> ValueId {
        self.facts.values.push(value);
        self.facts.ranges.push(range);
        (self.facts.values.len() - 1) as ValueId
    }

    pub(super) fn of(&self, node: NodeId) -> ValueId {
        self.value_of.get(node.index()).copied().unwrap_or(NONE)
    }

    pub(super) fn of_expr(&self, expression: &Expression<'_>) -> ValueId {
        self.of(expression.node_id())
    }

    pub(super) fn member(&mut self, object: ValueId, key: NameId) -> ValueId {
        if object == NONE {
            return NONE;
        }
        let range = self.facts.range(object);
        self.push(Value::Member { object, key }, range)
    }

    fn symbols(&mut self) {
        let scoping = self.semantic.scoping();
        for id in scoping.symbol_ids() {
            let name = self.intern(scoping.symbol_name(id));
            let scope = scoping.symbol_scope_id(id);
            let node = self.semantic.nodes().kind(scoping.get_node_id(scope));
            self.facts.symbols.push(Symbol {
                name,
                scope: range(node.span()),
                top_level: scope == scoping.root_scope_id(),
                function: NONE,
            });
        }
    }

    /// First loop, forward: numbers functions, classes, objects and calls.
    fn declare(&mut self) {
        let nodes = self.semantic.nodes();
        for (id, node) in nodes.iter_enumerated() {
            let at = id.index();
            let parent = nodes.parent_id(id);
            let outer = if parent == id { None } else { Some(parent.index()) };
            let (mut function, mut class, mut this) = outer
                .map_or((NONE, NONE, Value::This(NONE)), |up| {
                    (self.function_of[up], self.class_of[up], self.this_of[up])
                });
            match node.kind() {
                AstKind::Function(item) => {
                    let this_kind = self.this_of_method(parent, class);
                    let start = item.params.span.start;
                    function = self.new_function(item.span, start, function, this_kind);
                    this = Value::This(function);
                    if let Some(id) = &item.id {
                        self.facts.functions[function as usize].name = self.intern(&id.name);
                    }
                    self.item_of[at] = function;
                }
                AstKind::ArrowFunctionExpression(item) => {
                    function = self.new_function(item.span, item.span.start, function, This::Outer);
                    self.item_of[at] = function;
                }
                AstKind::Class(item) => {
                    class = self.facts.classes.len() as u32;
                    let name = item.id.as_ref().map_or(NONE, |id| self.intern(&id.name));
                    let range = range(item.span);
                    let parts = Class { range, name, heritage: NONE, constructor: NONE };
                    self.facts.classes.push(parts);
                    self.item_of[at] = class;
                }
                AstKind::PropertyDefinition(item) => {
                    this = if item.r#static { Value::Class(class) } else { Value::Instance(class) };
                }
                AstKind::StaticBlock(_) => this = Value::Class(class),
                AstKind::ExpressionStatement(item) => self.facts.statements.push(range(item.span)),
                AstKind::VariableDeclaration(item) => self.facts.statements.push(range(item.span)),
                AstKind::ReturnStatement(item) => self.facts.statements.push(range(item.span)),
                AstKind::ThrowStatement(item) => self.facts.statements.push(range(item.span)),
                AstKind::AwaitExpression(item) => {
                    self.facts.awaits.push((range(item.span), function));
                }
                AstKind::ForOfStatement(item) if item.r#await => {
                    let head = Range { start: item.span.start, end: item.right.span().end };
                    self.facts.awaits.push((head, function));
                }
                AstKind::ObjectExpression(_) => {
                    self.item_of[at] = self.facts.objects.len() as u32;
                    self.facts.objects.push(Object { keys: Vec::new(), spreads: Vec::new() });
                }
                _ => {}
            }
            self.function_of[at] = function;
            self.class_of[at] = class;
            self.this_of[at] = this;
        }
        self.facts.statements.sort_unstable_by_key(|range| (range.start, range.end));
        let scoping = self.semantic.scoping();
        for (at, id) in scoping.symbol_ids().enumerate() {
            let node = scoping.get_node_id(scoping.symbol_scope_id(id));
            self.facts.symbols[at].function = self.function_of[node.index()];
        }
    }

    fn new_function(&mut self, span: Span, v8_start: u32, parent: u32, this: This) -> u32 {
        self.facts.functions.push(Function {
            range: range(span),
            v8_start,
            parent,
            name: NONE,
            owner_name: NONE,
            argument_of: NONE,
            invoked_in_place: false,
            runs_once: false,
            this,
            returns: Vec::new(),
        });
        (self.facts.functions.len() - 1) as u32
    }

    fn this_of_method(&self, parent: NodeId, class: u32) -> This {
        let nodes = self.semantic.nodes();
        match nodes.kind(parent) {
            AstKind::MethodDefinition(method) if method.r#static => This::Static(class),
            AstKind::MethodDefinition(_) => This::Instance(class),
            AstKind::ObjectProperty(_) => {
                This::Object(self.item_of[nodes.parent_id(parent).index()])
            }
            _ => This::Own,
        }
    }

    /// Second loop, backward: gives every expression its value, children first.
    fn evaluate(&mut self) {
        let nodes = self.semantic.nodes();
        for at in (0..nodes.len()).rev() {
            let id = NodeId::new(at);
            let kind = nodes.kind(id);
            let value = match kind {
                AstKind::IdentifierReference(item) => {
                    let symbol = item.reference_id.get().and_then(|reference| {
                        self.semantic.scoping().get_reference(reference).symbol_id()
                    });
                    match (symbol, &*item.name) {
                        (Some(symbol), _) => Some(Value::Symbol(symbol.index() as u32)),
                        (None, "exports") => Some(Value::Exports),
                        (None, "undefined") => None,
                        (None, name) => Some(Value::Global(self.intern(name))),
                    }
                }
                AstKind::ThisExpression(_) => Some(self.this_of[at]),
                AstKind::StaticMemberExpression(item) => {
                    let object = self.of_expr(&item.object);
                    self.member_value(object, &item.property.name)
                }
                AstKind::PrivateFieldExpression(item) => {
                    let object = self.of_expr(&item.object);
                    self.member_value(object, &format!("#{}", item.field.name))
                }
                AstKind::ComputedMemberExpression(item) => {
                    let object = self.of_expr(&item.object);
                    match &item.expression {
                        Expression::StringLiteral(key) => self.member_value(object, &key.value),
                        _ if object == NONE => None,
                        _ => Some(Value::Member { object, key: NONE }),
                    }
                }
                AstKind::CallExpression(item) => Some(self.call_value(item, id)),
                AstKind::NewExpression(item) => {
                    let call = self.call(item.span, &item.callee, &item.arguments);
                    self.item_of[at] = call;
                    Some(Value::New(call))
                }
                AstKind::ImportExpression(item) => {
                    self.facts.imports.push(range(item.span));
                    match &item.source {
                        Expression::StringLiteral(source) => {
                            Some(Value::Module(self.intern(&source.value)))
                        }
                        _ => None,
                    }
                }
                AstKind::Function(_) | AstKind::ArrowFunctionExpression(_) => {
                    Some(Value::Function(self.item_of[at]))
                }
                AstKind::Class(_) => Some(Value::Class(self.item_of[at])),
                AstKind::ObjectExpression(_) => Some(Value::Object(self.item_of[at])),
                AstKind::ArrayExpression(item) => {
                    let start = self.facts.parts.len() as u32;
                    for element in &item.elements {
                        if let ArrayExpressionElement::SpreadElement(spread) = element {
                            self.facts.parts.push(self.of_expr(&spread.argument));
                        }
                    }
                    let parts = (start, self.facts.parts.len() as u32);
                    Some(Value::Array { parts })
                }
                AstKind::ConditionalExpression(item) => {
                    Some(self.either(self.of_expr(&item.consequent), self.of_expr(&item.alternate)))
                }
                AstKind::LogicalExpression(item) => {
                    Some(self.either(self.of_expr(&item.left), self.of_expr(&item.right)))
                }
                AstKind::StringLiteral(item) => Some(Value::Text(self.intern(&item.value))),
                AstKind::TemplateLiteral(item) => {
                    let cooked = |element: Option<&oxc_ast::ast::TemplateElement<'a>>| {
                        element.and_then(|quasi| quasi.value.cooked).map_or("", |it| it.as_str())
                    };
                    let head = self.intern(cooked(item.quasis.first()));
                    let tail = self.intern(cooked(item.quasis.last()));
                    Some(if item.expressions.is_empty() {
                        Value::Text(head)
                    } else {
                        Value::Template { head, tail }
                    })
                }
                // `(a[k] ||= [])` is what was there or what is put there.
                AstKind::AssignmentExpression(item) if item.operator.is_logical() => {
                    let (left, right) = (self.of(item.left.node_id()), self.of_expr(&item.right));
                    match (left, right) {
                        (NONE, NONE) => None,
                        _ => Some(self.either(left, right)),
                    }
                }
                _ => {
                    // Wrappers that only pass a value on share their child's.
                    self.value_of[at] = match kind {
                        AstKind::SequenceExpression(item) => {
                            item.expressions.last().map_or(NONE, |last| self.of_expr(last))
                        }
                        AstKind::AssignmentExpression(item) => self.of_expr(&item.right),
                        AstKind::AwaitExpression(item) => self.of_expr(&item.argument),
                        AstKind::ChainExpression(item) => self.of(item.expression.node_id()),
                        AstKind::ParenthesizedExpression(item) => self.of_expr(&item.expression),
                        AstKind::TSAsExpression(item) => self.of_expr(&item.expression),
                        AstKind::TSSatisfiesExpression(item) => self.of_expr(&item.expression),
                        AstKind::TSTypeAssertion(item) => self.of_expr(&item.expression),
                        AstKind::TSNonNullExpression(item) => self.of_expr(&item.expression),
                        AstKind::TSInstantiationExpression(item) => self.of_expr(&item.expression),
                        _ => NONE,
                    };
                    continue;
                }
            };
            if let Some(value) = value {
                self.value_of[at] = self.push(value, range(kind.span()));
            }
        }
    }

    fn member_value(&mut self, object: ValueId, key: &str) -> Option<Value> {
        if let Some(Value::Global(name)) = self.facts.value(object)
            && key == "exports"
            && self.facts.name(name) == "module"
        {
            return Some(Value::Exports);
        }
        (object != NONE).then(|| Value::Member { object, key: self.intern(key) })
    }

    fn either(&self, left: ValueId, right: ValueId) -> Value {
        match (self.facts.value(left), self.facts.value(right)) {
            (Some(value), None) | (None, Some(value)) => value,
            _ => Value::Either(left, right),
        }
    }

    fn call_value(&mut self, item: &oxc_ast::ast::CallExpression<'a>, id: NodeId) -> Value {
        if let Expression::Identifier(callee) = &item.callee
            && callee.name == "require"
            && let Some(Argument::StringLiteral(source)) = item.arguments.first()
        {
            return Value::Module(self.intern(&source.value));
        }
        let call = self.call(item.span, &item.callee, &item.arguments);
        self.item_of[id.index()] = call;
        Value::Call(call)
    }

    fn call(&mut self, span: Span, callee: &Expression<'a>, arguments: &[Argument<'a>]) -> u32 {
        let start = self.facts.parts.len() as u32;
        for argument in arguments {
            let value = argument.as_expression().map_or(NONE, |value| self.of_expr(value));
            self.facts.parts.push(value);
        }
        let args = (start, self.facts.parts.len() as u32);
        let (object_end, property_start) = match callee.get_inner_expression() {
            Expression::StaticMemberExpression(member) => {
                (member.object.span().end, member.property.span.start)
            }
            Expression::ComputedMemberExpression(member) => {
                (member.object.span().end, member.expression.span().start)
            }
            Expression::PrivateFieldExpression(member) => {
                (member.object.span().end, member.field.span.start)
            }
            _ => (0, 0),
        };
        self.facts.calls.push(Call {
            range: range(span),
            callee: self.of_expr(callee),
            callee_range: range(callee.span()),
            object_end,
            property_start,
            args,
        });
        (self.facts.calls.len() - 1) as u32
    }
}
