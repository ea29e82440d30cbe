// SPDX-License-Identifier: Apache-2.0
//! Tokens to a tree, by jinja2's grammar: this file has the stream and the statements, `expression` what is in them.

mod expression;

use std::sync::Arc;

use super::filters;
use super::lexer::{tokenize, Token};
use super::tests;
use super::tree::{Expr, ExprKind, FilterCall, ForLoop, MacroDef, Stmt, StmtKind, Target, Template};
use super::value::{Fault, Res};

/// Levels of the tree: brackets in brackets, blocks in blocks, and the operators of a chain. The interpreter, and what
/// frees a tree, need stack for each.
const MAX_DEPTH: usize = 1000;

pub fn parse(source: &str) -> Res<Template> {
    let tokens = tokenize(source)?;
    let mut parser =
        Parser { tokens, at: 0, depth: 0, lenient: 0, unknown: Vec::new(), macro_uses: Vec::new(), loops: 0 };
    let body = parser.statements(&[])?;
    parser.unknown.into_iter().next().map_or(Ok(Template { body }), |fault| Err(Box::new(fault)))
}

/// The special variables that the body of a macro names.
#[derive(Default, Clone, Copy)]
struct MacroUses {
    varargs: bool,
    kwargs: bool,
    caller: bool,
}

struct Parser {
    tokens: Vec<(Token, u32)>,
    at: usize,
    depth: usize,
    /// In a branch, which may never run: an unknown filter or test is an error only when it does.
    lenient: usize,
    /// Those outside of branches.
    unknown: Vec<Fault>,
    macro_uses: Vec<MacroUses>,
    loops: usize,
}

impl Parser {
    fn current(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn look(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].0
    }

    fn line(&self) -> u32 {
        self.tokens[self.at].1
    }

    fn next(&mut self) -> Token {
        let token = self.current().clone();
        if token != Token::End {
            self.at += 1;
        }
        token
    }

    fn fail<T>(&self, message: impl Into<String>) -> Res<T> {
        Err(Box::new(Fault { message: message.into(), line: Some(self.line()) }))
    }

    fn unexpected<T>(&self, wanted: &str) -> Res<T> {
        self.fail(format!("expected {wanted}, got {}", described(self.current())))
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.current(), Token::Op(current) if *current == op)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.current(), Token::Name(current) if &**current == name)
    }

    fn skip_op(&mut self, op: &str) -> bool {
        let found = self.is_op(op);
        self.at += usize::from(found);
        found
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        self.at += usize::from(found);
        found
    }

    fn expect_op(&mut self, op: &str) -> Res<()> {
        if !self.skip_op(op) {
            return self.unexpected(&format!("token '{op}'"));
        }
        Ok(())
    }

    fn expect_keyword(&mut self, name: &str) -> Res<()> {
        if !self.skip_name(name) {
            return self.unexpected(&format!("'{name}'"));
        }
        Ok(())
    }

    fn expect_name(&mut self) -> Res<Arc<str>> {
        match self.current().clone() {
            Token::Name(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => self.unexpected("a name"),
        }
    }

    fn expect_block_end(&mut self) -> Res<()> {
        if *self.current() != Token::BlockEnd {
            return self.unexpected("end of statement block");
        }
        self.next();
        Ok(())
    }

    fn deepen(&mut self) -> Res<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("it is nested too deeply");
        }
        Ok(())
    }

    /// Statements up to one of the tags `ends`, which stays the current token; without `ends`, to the end.
    fn statements(&mut self, ends: &[&str]) -> Res<Vec<Stmt>> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            match self.next() {
                Token::Data(text) => body.push(Stmt { line, kind: StmtKind::Data(text.into()) }),
                Token::VariableBegin => {
                    let value = self.tuple(true, &[], false)?;
                    if *self.current() != Token::VariableEnd {
                        return self.unexpected("end of print statement");
                    }
                    self.next();
                    body.push(Stmt { line, kind: StmtKind::Print(vec![value]) });
                }
                Token::BlockBegin => {
                    if ends.iter().any(|end| self.is_name(end)) {
                        return Ok(body);
                    }
                    let depth = self.depth;
                    self.deepen()?;
                    let kind = self.statement(ends)?;
                    self.depth = depth;
                    self.expect_block_end()?;
                    body.push(Stmt { line, kind });
                }
                Token::End if ends.is_empty() => return Ok(body),
                Token::End => {
                    return self.fail(format!("the template ends inside a block; expected '{}'", ends.join("' or '")))
                }
                _ => return self.fail("a token outside of a tag"),
            }
        }
    }

    /// The body of a block, whose opening tag ends here, and its closing tag `end`.
    fn block(&mut self, end: &str) -> Res<Vec<Stmt>> {
        let body = self.block_until(&[end])?;
        self.next();
        Ok(body)
    }

    fn block_until(&mut self, ends: &[&str]) -> Res<Vec<Stmt>> {
        self.skip_op(":");
        self.expect_block_end()?;
        self.statements(ends)
    }

    fn statement(&mut self, ends: &[&str]) -> Res<StmtKind> {
        let Token::Name(tag) = self.current().clone() else { return self.unexpected("a tag name") };
        self.at += 1;
        match &*tag {
            "set" => self.set(),
            "for" => self.for_loop(),
            "if" => self.branches(),
            "with" => self.with(),
            "macro" => {
                let name = self.expect_name()?;
                Ok(StmtKind::Macro(Arc::new(self.macro_def(name, "endmacro", true)?.0)))
            }
            "call" => self.call_block(),
            "filter" => {
                let filters = self.filters(true)?;
                Ok(StmtKind::FilterBlock(filters, self.block("endfilter")?))
            }
            "generation" => Ok(StmtKind::Scope(self.block("endgeneration")?)),
            "autoescape" => self.autoescape(),
            "block" => self.named_block(),
            "print" => self.print(),
            "break" | "continue" if self.loops == 0 => self.fail(format!("'{tag}' outside of a loop")),
            "break" => Ok(StmtKind::Break),
            "continue" => Ok(StmtKind::Continue),
            "include" | "import" | "from" | "extends" => {
                while !matches!(self.current(), Token::BlockEnd | Token::End) {
                    self.next();
                }
                Ok(StmtKind::Fail(format!("'{tag}': a chat template has no other files")))
            }
            _ if ends.is_empty() => self.fail(format!("Encountered unknown tag '{tag}'.")),
            _ => self.fail(format!("Encountered unknown tag '{tag}'; expected '{}'", ends.join("' or '"))),
        }
    }

    fn set(&mut self) -> Res<StmtKind> {
        let target = self.target(&[], true)?;
        if self.skip_op("=") {
            return Ok(StmtKind::Set(target, self.tuple(true, &[], false)?));
        }
        let filters = self.filters(false)?;
        Ok(StmtKind::SetBlock(target, filters, self.block("endset")?))
    }

    fn for_loop(&mut self) -> Res<StmtKind> {
        let target = self.target(&["in"], false)?;
        if assigns(&target, "loop") {
            return self.fail("Can't assign to special loop variable in for-loop target");
        }
        self.expect_keyword("in")?;
        let items = self.tuple(false, &["recursive"], false)?;
        let condition = if self.skip_name("if") { Some(self.expression()?) } else { None };
        let recursive = self.skip_name("recursive");
        self.loops += 1;
        let body = self.block_until(&["endfor", "else"])?;
        self.loops -= 1;
        let otherwise = if self.skip_name("else") { self.block("endfor")? } else { self.skip_closing() };
        Ok(StmtKind::For(Arc::new(ForLoop { target, items, condition, recursive, body, otherwise })))
    }

    fn skip_closing(&mut self) -> Vec<Stmt> {
        self.next();
        Vec::new()
    }

    fn branches(&mut self) -> Res<StmtKind> {
        self.lenient += 1;
        let mut branches = Vec::new();
        let otherwise = loop {
            let condition = self.tuple(false, &[], false)?;
            branches.push((condition, self.block_until(&["elif", "else", "endif"])?));
            if self.skip_name("elif") {
                continue;
            }
            break if self.skip_name("else") { self.block("endif")? } else { self.skip_closing() };
        };
        self.lenient -= 1;
        Ok(StmtKind::If(branches, otherwise))
    }

    fn with(&mut self) -> Res<StmtKind> {
        let mut bindings = Vec::new();
        while *self.current() != Token::BlockEnd {
            if !bindings.is_empty() {
                self.expect_op(",")?;
            }
            let target = self.target(&[], false)?;
            self.expect_op("=")?;
            bindings.push((target, self.expression()?));
        }
        Ok(StmtKind::With(bindings, self.block("endwith")?))
    }

    fn autoescape(&mut self) -> Res<StmtKind> {
        let escapes = self.expression()?;
        let body = self.block("endautoescape")?;
        let is_false = matches!(escapes.kind, ExprKind::Literal(super::tree::Literal::Bool(false)));
        Ok(if is_false { StmtKind::Scope(body) } else { StmtKind::Fail("autoescape is not known here".to_owned()) })
    }

    fn named_block(&mut self) -> Res<StmtKind> {
        let name = self.expect_name()?;
        let scoped = self.skip_name("scoped");
        self.skip_name("required");
        let body = self.block("endblock")?;
        self.skip_name(&name);
        Ok(if scoped { StmtKind::Scope(body) } else { StmtKind::Block(body) })
    }

    fn print(&mut self) -> Res<StmtKind> {
        let mut values = Vec::new();
        while *self.current() != Token::BlockEnd {
            if !values.is_empty() {
                self.expect_op(",")?;
            }
            values.push(self.expression()?);
        }
        Ok(StmtKind::Print(values))
    }

    fn call_block(&mut self) -> Res<StmtKind> {
        // The parameters stand first, then the call, then the body.
        let name: Arc<str> = "caller".into();
        let (def, call) = self.macro_def(name, "endcall", false)?;
        match call {
            Some(call) if matches!(call.kind, ExprKind::Call(..)) => Ok(StmtKind::CallBlock(Arc::new(def), call)),
            _ => self.fail("expected call"),
        }
    }

    fn macro_def(&mut self, name: Arc<str>, end: &str, is_macro: bool) -> Res<(MacroDef, Option<Expr>)> {
        let loops = std::mem::take(&mut self.loops);
        self.macro_uses.push(MacroUses::default());
        let parameters = if is_macro || self.is_op("(") { self.parameters()? } else { Vec::new() };
        let call = if is_macro { None } else { Some(self.expression()?) };
        let body = self.block(end)?;
        self.loops = loops;
        let uses = self.macro_uses.pop().unwrap_or_default();
        if let Some(outer) = self.macro_uses.last_mut() {
            outer.varargs |= uses.varargs;
            outer.kwargs |= uses.kwargs;
            outer.caller |= uses.caller;
        }
        let names = |name: &str| parameters.iter().any(|(parameter, _)| &**parameter == name);
        let (takes_varargs, takes_kwargs) = (uses.varargs && !names("varargs"), uses.kwargs && !names("kwargs"));
        let takes_caller = uses.caller && !names("caller");
        Ok((MacroDef { name, parameters, body, takes_varargs, takes_kwargs, takes_caller }, call))
    }

    fn parameters(&mut self) -> Res<Vec<(Arc<str>, Option<Expr>)>> {
        let mut parameters: Vec<(Arc<str>, Option<Expr>)> = Vec::new();
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !parameters.is_empty() {
                self.expect_op(",")?;
            }
            let name = self.expect_name()?;
            let default = if self.skip_op("=") { Some(self.expression()?) } else { None };
            if default.is_none() && parameters.last().is_some_and(|(_, default)| default.is_some()) {
                return self.fail("non-default argument follows default argument");
            }
            parameters.push((name, default));
        }
        self.expect_op(")")?;
        Ok(parameters)
    }

    /// What is assigned to: names, tuples of them and, in `set`, attributes of a namespace.
    fn target(&mut self, ends: &[&str], with_attributes: bool) -> Res<Target> {
        let parsed = self.tuple(true, ends, true)?;
        self.as_target(parsed, with_attributes)
    }

    fn as_target(&self, parsed: Expr, with_attributes: bool) -> Res<Target> {
        match parsed.kind {
            ExprKind::Name(name) => Ok(Target::Name(name)),
            ExprKind::Attribute(of, name) if with_attributes => match of.kind {
                ExprKind::Name(namespace) => Ok(Target::Attribute(namespace, name)),
                _ => self.fail("can't assign to this"),
            },
            ExprKind::Tuple(items) => {
                let targets = items.into_iter().map(|item| self.as_target(item, with_attributes));
                Ok(Target::Tuple(targets.collect::<Res<_>>()?))
            }
            _ => self.fail("can't assign to this"),
        }
    }

    fn check_filter(&mut self, call: &FilterCall) {
        if self.lenient == 0 && filters::find(&call.name).is_none() {
            let message = format!("No filter named '{}'.", call.name);
            self.unknown.push(Fault { message, line: Some(call.line) });
        }
    }

    fn check_test(&mut self, call: &FilterCall) {
        if self.lenient == 0 && tests::find(&call.name).is_none() {
            let message = format!("No test named '{}'.", call.name);
            self.unknown.push(Fault { message, line: Some(call.line) });
        }
    }
}

fn assigns(target: &Target, name: &str) -> bool {
    match target {
        Target::Name(target) => &**target == name,
        Target::Tuple(targets) => targets.iter().any(|target| assigns(target, name)),
        Target::Attribute(..) => false,
    }
}

fn described(token: &Token) -> String {
    match token {
        Token::Data(_) => "text".to_owned(),
        Token::VariableBegin => "begin of print statement".to_owned(),
        Token::VariableEnd => "end of print statement".to_owned(),
        Token::BlockBegin => "begin of statement block".to_owned(),
        Token::BlockEnd => "end of statement block".to_owned(),
        Token::Name(name) => format!("'{name}'"),
        Token::Str(text) => format!("the string '{text}'"),
        Token::Int(value) => value.to_string(),
        Token::Float(value) => value.to_string(),
        Token::Op(op) => format!("'{op}'"),
        Token::End => "end of template".to_owned(),
    }
}
