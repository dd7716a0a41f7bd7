//! The fourth loop over the tree: what stands around expressions. Conditions, statements whose
//! value nobody takes, comparisons, decorators; the static scan (`crate::scan`) asks for these.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, Expression, Statement, TSType, TSTypeName};
use oxc_semantic::NodeId;
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::AssignmentOperator;
use rustc_hash::FxHashMap;

use super::build::{Builder, range};
use super::{Assign, Call, NONE, NameId, Range, Value, ValueId};

/// Code that runs only if a test came out one way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Branch {
    /// The tested expression.
    pub test: Range,
    /// What depends on it: a branch, or what follows an `if (…) return`.
    pub body: Range,
}

/// `@Name(…)` on a class or on one of its methods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decorator {
    pub name: NameId,
    /// The method, or `NONE`.
    pub function: u32,
    /// The class.
    pub class: u32,
    pub range: Range,
}

/// What stands around expressions.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Source of every argument, call after call.
    arg_ranges: Vec<Range>,
    /// Per call: its arguments in `arg_ranges`.
    args_of: Vec<(u32, u32)>,
    /// Per computed member: the key's source.
    pub keys: FxHashMap<ValueId, Range>,
    /// In order of the test's start.
    pub branches: Vec<Branch>,
    /// Expressions that are statements, in order of their start.
    statements: Vec<Range>,
    /// Targets of `++`, `--`, `+=` and their like.
    pub updates: Vec<(ValueId, Range)>,
    /// Comparisons by size, or with another number than zero, that end no counting loop.
    pub compares: Vec<Range>,
    pub decorators: Vec<Decorator>,
    /// `import(…)` of something that is no constant: the whole and what is imported.
    pub imports: Vec<(Range, Range)>,
    /// Object literals' properties whose key is written out: literal, key, source of the value.
    pub properties: Vec<(u32, NameId, Range)>,
    /// What variables are declared with, followed or not: the variable, the source.
    pub declared: FxHashMap<u32, Range>,
    /// Elements of array literals: the literal, the element.
    pub elements: Vec<(Range, Range)>,
}

impl Flow {
    /// The source of a call's arguments.
    pub fn args(&self, call: u32) -> &[Range] {
        let (start, end) = self.args_of.get(call as usize).copied().unwrap_or_default();
        self.arg_ranges.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Nobody takes the value of the expression.
    pub fn is_dropped(&self, expression: Range) -> bool {
        let at = self.statements.partition_point(|it| it.start < expression.start);
        self.statements[at..]
            .iter()
            .take_while(|it| it.start == expression.start)
            .any(|it| it.end == expression.end)
    }

    /// The branches between `outer` and the place, in source order.
    pub fn around(&self, outer: Range, offset: u32) -> impl Iterator<Item = &Branch> {
        let from = self.branches.partition_point(|it| it.test.start < outer.start);
        self.branches[from..]
            .iter()
            .take_while(move |it| it.test.start < offset)
            .filter(move |it| it.body.contains(offset))
    }
}

impl<'a> Builder<'_, 'a> {
    /// Fourth loop, forward. Expects the values of the second.
    pub(super) fn flow(&mut self) {
        let nodes = self.semantic.nodes();
        let mut flow = Flow { args_of: vec![(0, 0); self.facts.calls.len()], ..Flow::default() };
        let mut injected = Vec::new();
        for (id, node) in nodes.iter_enumerated() {
            let at = id.index();
            match node.kind() {
                AstKind::CallExpression(item) => self.flow_args(&mut flow, at, &item.arguments),
                AstKind::NewExpression(item) => self.flow_args(&mut flow, at, &item.arguments),
                AstKind::VariableDeclarator(item) => {
                    if let Some(init) = &item.init {
                        let init = range(init.span());
                        for symbol in item.id.get_symbol_ids() {
                            flow.declared.insert(symbol.index() as u32, init);
                        }
                    }
                }
                AstKind::ForOfStatement(item) => {
                    if let oxc_ast::ast::ForStatementLeft::VariableDeclaration(list) = &item.left {
                        let of = range(item.right.span());
                        let names = list.declarations.iter().flat_map(|it| it.id.get_symbol_ids());
                        flow.declared.extend(names.map(|symbol| (symbol.index() as u32, of)));
                    }
                }
                AstKind::ComputedMemberExpression(item) if self.value_of[at] != NONE => {
                    flow.keys.insert(self.value_of[at], range(item.expression.span()));
                }
                AstKind::ExpressionStatement(item) => {
                    flow.statements.push(range(item.expression.span()));
                    if let Expression::AwaitExpression(inner) = &item.expression {
                        flow.statements.push(range(inner.argument.span()));
                    }
                }
                AstKind::IfStatement(item) => {
                    let test = range(item.test.span());
                    flow.branches.push(Branch { test, body: range(item.consequent.span()) });
                    if let Some(other) = &item.alternate {
                        flow.branches.push(Branch { test, body: range(other.span()) });
                    } else if leaves(&item.consequent) {
                        let end = self.block_end(id, item.span);
                        flow.branches
                            .push(Branch { test, body: Range { start: item.span.end, end } });
                    }
                }
                AstKind::ConditionalExpression(item) => {
                    let test = range(item.test.span());
                    for side in [&item.consequent, &item.alternate] {
                        flow.branches.push(Branch { test, body: range(side.span()) });
                    }
                }
                AstKind::LogicalExpression(item) => {
                    let (test, body) = (range(item.left.span()), range(item.right.span()));
                    flow.branches.push(Branch { test, body });
                }
                AstKind::AssignmentExpression(item) => {
                    let target = self.of(item.left.node_id());
                    match item.operator {
                        AssignmentOperator::Assign => {}
                        AssignmentOperator::LogicalOr
                        | AssignmentOperator::LogicalAnd
                        | AssignmentOperator::LogicalNullish => {
                            let (test, body) = (range(item.left.span()), range(item.right.span()));
                            flow.branches.push(Branch { test, body });
                        }
                        _ => flow.updates.push((target, range(item.span))),
                    }
                }
                AstKind::UpdateExpression(item) => {
                    let target = self.of(item.argument.node_id());
                    flow.updates.push((target, range(item.span)));
                }
                AstKind::BinaryExpression(item) => {
                    let zero = |side: &Expression<'_>| matches!(side, Expression::NumericLiteral(number) if number.value == 0.0);
                    let counts = matches!(nodes.parent_kind(id), AstKind::ForStatement(_));
                    let by_size = item.operator.is_compare() || item.operator.is_equality();
                    if by_size && !counts && !zero(&item.left) && !zero(&item.right) {
                        flow.compares.push(range(item.span));
                    }
                }
                AstKind::FormalParameter(item) => {
                    if let Some(kind) = self.injected(id, item) {
                        injected.push((item.span, kind));
                    }
                }
                AstKind::Decorator(item) => self.flow_decorator(&mut flow, id, item),
                AstKind::ImportExpression(item)
                    if !matches!(item.source, Expression::StringLiteral(_)) =>
                {
                    flow.imports.push((range(item.span), range(item.source.span())));
                }
                AstKind::ObjectProperty(item) => {
                    let literal = self.item_of[nodes.parent_id(id).index()];
                    if let Some(key) = item.key.static_name() {
                        let key = self.intern(&key);
                        flow.properties.push((literal, key, range(item.value.span())));
                    }
                }
                AstKind::ArrayExpression(item) => {
                    for element in &item.elements {
                        flow.elements.push((range(item.span), range(element.span())));
                    }
                }
                _ => {}
            }
        }
        flow.branches.sort_by_key(|it| (it.test.start, it.body.start));
        flow.statements.sort_by_key(|it| (it.start, it.end));
        self.facts.flow = flow;
        self.inject(&injected);
    }

    /// The class by whose name a container hands an instance to this parameter: a constructor's, of
    /// a class with a decorator.
    fn injected(&self, id: NodeId, item: &oxc_ast::ast::FormalParameter<'a>) -> Option<ValueId> {
        let TSType::TSTypeReference(named) = &item.type_annotation.as_ref()?.type_annotation else {
            return None;
        };
        let nodes = self.semantic.nodes();
        let method = nodes.ancestor_ids(id).nth(2)?;
        let AstKind::MethodDefinition(constructor) = nodes.kind(method) else { return None };
        let class = nodes.ancestor_ids(method).nth(1)?;
        let AstKind::Class(class) = nodes.kind(class) else { return None };
        if !constructor.kind.is_constructor() || class.decorators.is_empty() {
            return None;
        }
        let TSTypeName::IdentifierReference(name) = &named.type_name else { return None };
        Some(self.of(name.node_id())).filter(|it| *it != NONE)
    }

    /// What a container hands over is an instance of that class: as if the parameter were `new X`.
    fn inject(&mut self, injected: &[(Span, ValueId)]) {
        for &(span, callee) in injected {
            let call = self.facts.calls.len() as u32;
            let none = Range::default();
            self.facts.calls.push(Call {
                range: none,
                callee,
                callee_range: none,
                object_end: 0,
                property_start: 0,
                args: (0, 0),
            });
            let made = self.push(Value::New(call), none);
            let at = range(span);
            let to: Vec<Assign> = self
                .facts
                .assigns
                .iter()
                .filter(|it| {
                    matches!(self.facts.value(it.value), Some(Value::Param { .. }))
                        && self.facts.range(it.value) == at
                })
                .map(|it| Assign { value: made, ..*it })
                .collect();
            self.facts.assigns.extend(to);
        }
    }

    fn flow_args(&self, flow: &mut Flow, at: usize, arguments: &[Argument<'a>]) {
        let Some(slot) = flow.args_of.get_mut(self.item_of[at] as usize) else { return };
        let start = flow.arg_ranges.len() as u32;
        flow.arg_ranges.extend(arguments.iter().map(|it| range(it.span())));
        *slot = (start, flow.arg_ranges.len() as u32);
    }

    fn flow_decorator(&mut self, flow: &mut Flow, id: NodeId, item: &oxc_ast::ast::Decorator<'a>) {
        let nodes = self.semantic.nodes();
        let named = match &item.expression {
            Expression::CallExpression(call) => &call.callee,
            other => other,
        };
        let name = match named {
            Expression::Identifier(name) => name.name.as_str(),
            Expression::StaticMemberExpression(member) => member.property.name.as_str(),
            _ => return,
        };
        let parent = nodes.parent_id(id);
        let function = match nodes.kind(parent) {
            AstKind::MethodDefinition(method) => self.item_of[method.value.node_id().index()],
            AstKind::Class(_) => NONE,
            _ => return,
        };
        let name = self.intern(name);
        let class = self.class_of[parent.index()];
        flow.decorators.push(Decorator { name, function, class, range: range(item.span) });
    }

    /// Where the block around a statement ends.
    fn block_end(&self, id: NodeId, statement: Span) -> u32 {
        let nodes = self.semantic.nodes();
        match nodes.parent_kind(id) {
            AstKind::BlockStatement(_)
            | AstKind::FunctionBody(_)
            | AstKind::StaticBlock(_)
            | AstKind::SwitchCase(_)
            | AstKind::Program(_) => nodes.parent_kind(id).span().end,
            _ => statement.end,
        }
    }
}

/// The statement never goes on to the next one.
fn leaves(statement: &Statement<'_>) -> bool {
    let last = match statement {
        Statement::BlockStatement(block) => match block.body.last() {
            Some(last) => last,
            None => return false,
        },
        other => other,
    };
    matches!(
        last,
        Statement::ReturnStatement(_)
            | Statement::ThrowStatement(_)
            | Statement::ContinueStatement(_)
            | Statement::BreakStatement(_)
    )
}
