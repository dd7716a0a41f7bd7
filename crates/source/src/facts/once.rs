//! Which functions run once: `async function main() { … }` whose only mention is `main()` at the file's top level.
//!
//! What stands in such a function runs as often as what stands at top level, so it is no candidate for what adds
//! again and again. Cost: one look at each symbol's mentions, and a walk to the root for the few that have one.

use oxc_ast::AstKind;
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::NONE;
use super::build::Builder;

/// Functions that run once may call others that do; more such links than these are not followed.
const MAX_LINKS: usize = 4;

impl Builder<'_, '_> {
    /// Last loop, over the symbols: marks the functions that run once.
    pub(super) fn once(&mut self) {
        let called: Vec<(u32, u32)> = self
            .semantic
            .scoping()
            .symbol_ids()
            .filter_map(|symbol| Some((self.function_of_symbol(symbol)?, self.only_call(symbol)?)))
            .collect();
        for _ in 0..MAX_LINKS {
            let mut changed = false;
            for &(function, call) in &called {
                if self.facts.repeated_function_at(call).is_none() {
                    let function = &mut self.facts.functions[function as usize];
                    changed |= !std::mem::replace(&mut function.runs_once, true);
                }
            }
            if !changed {
                break;
            }
        }
    }

    /// The function that a symbol is declared as: `function f() {}`, `const f = () => {}`.
    fn function_of_symbol(&self, symbol: SymbolId) -> Option<u32> {
        let nodes = self.semantic.nodes();
        let declaration = self.semantic.scoping().symbol_declaration(symbol);
        let is_exported = |node: NodeId| {
            nodes.ancestor_kinds(node).take(2).any(|kind| {
                matches!(kind, AstKind::ExportDeclaration(_) | AstKind::ExportDefaultDeclaration(_))
            })
        };
        if is_exported(declaration) {
            return None;
        }
        let node = match nodes.kind(declaration) {
            AstKind::Function(_) => declaration,
            AstKind::VariableDeclarator(item) => {
                item.init.as_ref()?.get_inner_expression().node_id()
            }
            _ => return None,
        };
        let is_function =
            matches!(nodes.kind(node), AstKind::Function(_) | AstKind::ArrowFunctionExpression(_));
        is_function.then(|| self.item_of[node.index()]).filter(|&function| function != NONE)
    }

    /// Where the call begins that is the symbol's only mention, if it stands in no loop.
    fn only_call(&self, symbol: SymbolId) -> Option<u32> {
        let nodes = self.semantic.nodes();
        let mentions = self.semantic.scoping().get_resolved_reference_ids(symbol);
        let [mention] = mentions[..] else { return None };
        let mention = self.semantic.scoping().get_reference(mention).node_id();
        let call = nodes.parent_id(mention);
        let AstKind::CallExpression(item) = nodes.kind(call) else { return None };
        if item.callee.get_inner_expression().node_id() != mention {
            return None;
        }
        let within = nodes
            .ancestor_kinds(call)
            .take_while(|kind| {
                !matches!(kind, AstKind::Function(_) | AstKind::ArrowFunctionExpression(_))
            })
            .any(|kind| {
                matches!(
                    kind,
                    AstKind::ForStatement(_)
                        | AstKind::ForInStatement(_)
                        | AstKind::ForOfStatement(_)
                        | AstKind::WhileStatement(_)
                        | AstKind::DoWhileStatement(_)
                )
            });
        (!within).then_some(item.span.start)
    }
}
