//! The third loop over the tree: who is assigned what, in every spelling of an assignment.

use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentTarget, BindingPattern, ExportDefaultDeclarationKind, FormalParameters,
    ImportDeclarationSpecifier, MethodDefinitionKind, ModuleExportName, ObjectPropertyKind,
    PropertyKey, TSModuleReference,
};
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::AssignmentOperator;

use super::build::{Builder, range};
use super::{Assign, NONE, NameId, Range, This, Value, ValueId};

impl<'a> Builder<'_, 'a> {
    fn assign(&mut self, target: ValueId, value: ValueId, range: Range, expression: bool) {
        if target != NONE && value != NONE {
            self.facts.assigns.push(Assign { target, value, range, expression });
        }
    }

    /// Third loop, forward: who is assigned what.
    pub(super) fn relate(&mut self) {
        let nodes = self.semantic.nodes();
        for (id, node) in nodes.iter_enumerated() {
            let at = id.index();
            match node.kind() {
                AstKind::VariableDeclarator(item) => {
                    if let Some(init) = &item.init {
                        let value = self.of_expr(init);
                        self.bind(&item.id, value, item.span);
                        self.name_function(value, &item.id);
                    }
                }
                AstKind::AssignmentExpression(item) => {
                    let value = self.of_expr(&item.right);
                    let target = self.of(item.left.node_id());
                    if item.operator == AssignmentOperator::Addition && target != NONE {
                        self.facts.appends.push((target, range(item.span)));
                    }
                    if !matches!(
                        item.left,
                        AssignmentTarget::ArrayAssignmentTarget(_)
                            | AssignmentTarget::ObjectAssignmentTarget(_)
                    ) && !is_arithmetic(item.operator)
                    {
                        self.assign(target, value, range(item.span), true);
                        // An assignment whose value is nothing we follow still adds: `o[k] = 1`.
                        if value == NONE && target != NONE {
                            let range = range(item.span);
                            self.facts.assigns.push(Assign {
                                target,
                                value: NONE,
                                range,
                                expression: true,
                            });
                        }
                        self.name_assigned(target, value);
                    }
                }
                AstKind::Function(item) => {
                    if let Some(binding) = &item.id
                        && let Some(symbol) = binding.symbol_id.get()
                    {
                        let target =
                            self.push(Value::Symbol(symbol.index() as u32), Range::default());
                        self.assign(target, self.value_of[at], Range::default(), false);
                    }
                    self.parameters(&item.params, self.item_of[at], at);
                }
                AstKind::ArrowFunctionExpression(item) => {
                    self.parameters(&item.params, self.item_of[at], at);
                    if let Some(value) = item.body.as_expression() {
                        let value = self.of_expr(value);
                        self.returns(at, value);
                    }
                }
                AstKind::ReturnStatement(item) => {
                    if let Some(value) = &item.argument {
                        let value = self.of_expr(value);
                        self.returns(at, value);
                    }
                }
                AstKind::Class(item) => self.class(item, at),
                AstKind::MethodDefinition(item) => {
                    let class = self.class_of[at];
                    let function = self.of(item.value.node_id());
                    if item.kind == MethodDefinitionKind::Constructor {
                        if let Some(class) = self.facts.classes.get_mut(class as usize) {
                            class.constructor = self.item_of[item.value.node_id().index()];
                        }
                    } else {
                        self.class_member(class, item.r#static, &item.key, function, item.span);
                    }
                }
                AstKind::PropertyDefinition(item) => {
                    if let Some(value) = &item.value {
                        let value = self.of_expr(value);
                        let class = self.class_of[at];
                        self.class_member(class, item.r#static, &item.key, value, item.span);
                    }
                }
                AstKind::ObjectExpression(item) => self.object(item, at),
                AstKind::CallExpression(_) | AstKind::NewExpression(_) => self.arguments(at),
                AstKind::UnaryExpression(item) if item.operator.is_delete() => {
                    let target = self.of(item.argument.get_inner_expression().node_id());
                    if let Some(Value::Member { object, .. }) = self.facts.value(target) {
                        self.facts.deletes.push((object, item.span.start));
                    }
                }
                kind => self.module_item(kind),
            }
        }
    }

    fn returns(&mut self, at: usize, value: ValueId) {
        let function = self.function_of[at];
        if value != NONE
            && let Some(function) = self.facts.functions.get_mut(function as usize)
        {
            function.returns.push(value);
        }
    }

    fn arguments(&mut self, at: usize) {
        let index = self.item_of[at];
        let Some(call) = self.facts.calls.get(index as usize).cloned() else { return };
        if let Some(Value::Function(function)) = self.facts.value(call.callee) {
            self.facts.functions[function as usize].invoked_in_place = true;
        }
        // `(function () {…}).call(this)` is the other way to write it.
        if let Some(Value::Member { object, key }) = self.facts.value(call.callee)
            && let Some(Value::Function(function)) = self.facts.value(object)
            && matches!(self.facts.name(key), "call" | "apply")
        {
            self.facts.functions[function as usize].invoked_in_place = true;
        }
        for &arg in &self.facts.parts[call.args.0 as usize..call.args.1 as usize] {
            if let Some(Value::Function(function)) = self.facts.value(arg) {
                self.facts.functions[function as usize].argument_of = index;
            }
        }
    }

    /// Binds a pattern to a value, without recursion.
    fn bind(&mut self, pattern: &BindingPattern<'a>, value: ValueId, span: Span) {
        let mut todo = vec![(pattern, value)];
        while let Some((pattern, value)) = todo.pop() {
            match pattern {
                BindingPattern::BindingIdentifier(binding) => {
                    if let Some(symbol) = binding.symbol_id.get() {
                        let target =
                            self.push(Value::Symbol(symbol.index() as u32), range(binding.span));
                        self.assign(target, value, range(span), false);
                    }
                }
                BindingPattern::ObjectPattern(object) => {
                    for property in &object.properties {
                        if let Some(key) = property.key.static_name() {
                            let key = self.intern(&key);
                            let part = self.member(value, key);
                            todo.push((&property.value, part));
                        }
                    }
                }
                BindingPattern::AssignmentPattern(with_default) => {
                    let default = self.of_expr(&with_default.right);
                    todo.push((&with_default.left, value));
                    todo.push((&with_default.left, default));
                }
                BindingPattern::ArrayPattern(_) => {}
            }
        }
    }

    fn parameters(&mut self, params: &FormalParameters<'a>, function: u32, at: usize) {
        for (index, item) in params.items.iter().enumerate() {
            let param = Value::Param { function, index: index as u32 };
            let value = self.push(param, range(item.span));
            self.bind(&item.pattern, value, Span::empty(item.span.start));
            if let Some(default) = &item.initializer {
                let default = self.of_expr(default);
                self.bind(&item.pattern, default, Span::empty(item.span.start));
            }
            // TypeScript's `constructor(private items: X)` is also a field.
            if (item.accessibility.is_some() || item.readonly)
                && let BindingPattern::BindingIdentifier(binding) = &item.pattern
            {
                let this = self.push(self.this_of[at], Range::default());
                let key = self.intern(&binding.name);
                let target = self.member(this, key);
                self.assign(target, value, Range::default(), false);
            }
        }
    }

    fn class(&mut self, item: &oxc_ast::ast::Class<'a>, at: usize) {
        let index = self.item_of[at];
        if let Some(heritage) = &item.heritage {
            self.facts.classes[index as usize].heritage = self.of_expr(&heritage.expression);
        }
        if let Some(symbol) = item.id.as_ref().and_then(|id| id.symbol_id.get()) {
            let target = self.push(Value::Symbol(symbol.index() as u32), Range::default());
            self.assign(target, self.value_of[at], Range::default(), false);
        }
    }

    fn class_member(
        &mut self,
        class: u32,
        is_static: bool,
        key: &PropertyKey<'a>,
        value: ValueId,
        span: Span,
    ) {
        let Some(key) = self.key(key) else { return };
        if let Some(Value::Function(function)) = self.facts.value(value) {
            let owner = self.facts.classes.get(class as usize).map_or(NONE, |class| class.name);
            let function = &mut self.facts.functions[function as usize];
            function.name = key;
            function.owner_name = owner;
        }
        let owner = if is_static { Value::Class(class) } else { Value::Instance(class) };
        let owner = self.push(owner, Range::default());
        let target = self.member(owner, key);
        self.assign(target, value, range(span), false);
    }

    fn key(&mut self, key: &PropertyKey<'a>) -> Option<NameId> {
        if let Some(private) = key.private_name() {
            return Some(self.intern(&format!("#{private}")));
        }
        let name = key.static_name()?;
        Some(self.intern(&name))
    }

    fn object(&mut self, item: &oxc_ast::ast::ObjectExpression<'a>, at: usize) {
        let index = self.item_of[at] as usize;
        let object = self.value_of[at];
        for property in &item.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => {
                    let Some(key) = self.key(&property.key) else { continue };
                    self.facts.objects[index].keys.push(key);
                    let value = self.of_expr(&property.value);
                    if let Some(Value::Function(function)) = self.facts.value(value) {
                        let function = &mut self.facts.functions[function as usize];
                        if function.name == NONE {
                            function.name = key;
                        }
                    }
                    let target = self.member(object, key);
                    self.assign(target, value, range(property.span), false);
                }
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.of_expr(&spread.argument);
                    self.facts.objects[index].spreads.push(value);
                    self.assign(object, value, Range::default(), false);
                }
            }
        }
    }

    /// `const f = () => …` names the arrow.
    fn name_function(&mut self, value: ValueId, pattern: &BindingPattern<'a>) {
        if let BindingPattern::BindingIdentifier(binding) = pattern {
            let name = self.intern(&binding.name);
            self.set_name(value, name, NONE);
        }
    }

    /// `exports.f = () => …`, `F.prototype.m = function …` name the function, and the latter says
    /// what `this` is in it.
    fn name_assigned(&mut self, target: ValueId, value: ValueId) {
        let Some(target) = self.facts.value(target) else { return };
        match target {
            Value::Symbol(symbol) => {
                let name = self.facts.symbols[symbol as usize].name;
                self.set_name(value, name, NONE);
            }
            Value::Member { object, key } if key != NONE => {
                let mut owner = NONE;
                if let Some(Value::Member { object: constructor, key: prototype }) =
                    self.facts.value(object)
                    && self.facts.name(prototype) == "prototype"
                    && let Some(Value::Symbol(symbol)) = self.facts.value(constructor)
                {
                    owner = self.facts.symbols[symbol as usize].name;
                    if let Some(Value::Function(function)) = self.facts.value(value)
                        && let Some(function) = self.facts.functions.get_mut(function as usize)
                        && function.this == This::Own
                    {
                        function.this = This::Prototype(symbol);
                    }
                }
                self.set_name(value, key, owner);
            }
            _ => {}
        }
    }

    fn set_name(&mut self, value: ValueId, name: NameId, owner: NameId) {
        if let Some(Value::Function(function)) = self.facts.value(value) {
            let function = &mut self.facts.functions[function as usize];
            if function.name == NONE {
                function.name = name;
                function.owner_name = owner;
            }
        } else if let Some(Value::Class(class)) = self.facts.value(value) {
            let class = &mut self.facts.classes[class as usize];
            if class.name == NONE {
                class.name = name;
            }
        }
    }

    fn export(&mut self, name: &str, value: ValueId, span: Span) {
        let exports = self.push(Value::Exports, Range::default());
        let key = self.intern(name);
        let target = self.member(exports, key);
        self.assign(target, value, range(span), false);
    }

    fn module(&mut self, source: &str, span: Span) -> ValueId {
        let source = self.intern(source);
        self.push(Value::Module(source), range(span))
    }

    fn module_item(&mut self, kind: AstKind<'a>) {
        match kind {
            AstKind::ImportDeclaration(item) => {
                for specifier in item.specifiers.iter().flatten() {
                    self.import(specifier, &item.source.value, item.span);
                }
            }
            AstKind::TSImportEqualsDeclaration(item) => {
                if let TSModuleReference::ExternalModuleReference(reference) =
                    &item.module_reference
                    && let Some(symbol) = item.id.symbol_id.get()
                {
                    let value = self.module(&reference.expression.value, item.span);
                    let target = self.push(Value::Symbol(symbol.index() as u32), Range::default());
                    self.assign(target, value, Range::default(), false);
                }
            }
            AstKind::TSExportAssignment(item) => {
                let value = self.of_expr(&item.expression);
                let target = self.push(Value::Exports, Range::default());
                self.assign(target, value, range(item.span), false);
            }
            AstKind::ExportDeclaration(item) => {
                // `export const a = …, f()`: every name it declares goes out under itself.
                let span = item.declaration.span();
                let scoping = self.semantic.scoping();
                let declared: Vec<_> = match &item.declaration {
                    oxc_ast::ast::Declaration::VariableDeclaration(list) => list
                        .declarations
                        .iter()
                        .flat_map(|declarator| declarator.id.get_symbol_ids())
                        .collect(),
                    other => other.id().and_then(|id| id.symbol_id.get()).into_iter().collect(),
                };
                for symbol in declared {
                    let value = self.push(Value::Symbol(symbol.index() as u32), Range::default());
                    self.export(scoping.symbol_name(symbol), value, span);
                }
            }
            AstKind::ExportNamedDeclaration(item) => {
                for specifier in &item.specifiers {
                    let value = match &specifier.local {
                        ModuleExportName::IdentifierReference(local) => self.of(local.node_id()),
                        _ => NONE,
                    };
                    self.export(&specifier.exported.name(), value, specifier.span);
                }
            }
            AstKind::ExportFromDeclaration(item) => {
                for specifier in &item.specifiers {
                    let module = self.module(&item.source.value, specifier.span);
                    let key = self.intern(&specifier.local.name());
                    let value = self.member(module, key);
                    self.export(&specifier.exported.name(), value, specifier.span);
                }
            }
            AstKind::ExportAllDeclaration(item) => {
                let module = self.module(&item.source.value, item.span);
                match &item.exported {
                    Some(name) => self.export(&name.name(), module, item.span),
                    None => {
                        let exports = self.push(Value::Exports, Range::default());
                        self.assign(exports, module, range(item.span), false);
                    }
                }
            }
            AstKind::ExportDefaultDeclaration(item) => {
                let value = match &item.declaration {
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                        self.of(function.node_id())
                    }
                    ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                        self.of(class.node_id())
                    }
                    other => other.as_expression().map_or(NONE, |value| self.of_expr(value)),
                };
                self.export("default", value, item.span);
            }
            _ => {}
        }
    }

    fn import(&mut self, specifier: &ImportDeclarationSpecifier<'a>, source: &str, span: Span) {
        let module = self.module(source, span);
        let (local, name) = match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(item) => {
                (&item.local, Some(item.imported.name().to_string()))
            }
            ImportDeclarationSpecifier::ImportDefaultSpecifier(item) => {
                (&item.local, Some("default".to_owned()))
            }
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(item) => (&item.local, None),
        };
        let Some(symbol) = local.symbol_id.get() else { return };
        let target = self.push(Value::Symbol(symbol.index() as u32), range(local.span));
        let Some(name) = name else {
            self.assign(target, module, Range::default(), false);
            return;
        };
        let key = self.intern(&name);
        let value = self.member(module, key);
        self.assign(target, value, Range::default(), false);
        if name == "default" {
            // A CommonJS module's default export is `module.exports` itself.
            self.assign(target, module, Range::default(), false);
        }
    }
}

/// `+=` and its like make a new value; `=`, `||=`, `&&=`, `??=` pass one on.
fn is_arithmetic(operator: AssignmentOperator) -> bool {
    !matches!(
        operator,
        AssignmentOperator::Assign
            | AssignmentOperator::LogicalOr
            | AssignmentOperator::LogicalAnd
            | AssignmentOperator::LogicalNullish
    )
}
