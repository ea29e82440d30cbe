// SPDX-License-Identifier: Apache-2.0
//! Expressions, one function for each level of precedence, in the order of jinja2's parser.

use std::sync::Arc;

use super::super::lexer::Token;
use super::super::tree::{Arguments, Binary, Comparison, Expr, ExprKind, FilterCall, Literal};
use super::super::value::Res;
use super::Parser;

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    ("<=", Comparison::LessEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterEqual),
];
const SUMS: [(&str, Binary); 2] = [("+", Binary::Add), ("-", Binary::Subtract)];
const PRODUCTS: [(&str, Binary); 4] =
    [("*", Binary::Multiply), ("/", Binary::Divide), ("//", Binary::FloorDivide), ("%", Binary::Remainder)];
const POWERS: [(&str, Binary); 1] = [("**", Binary::Power)];

type Level = fn(&mut Parser) -> Res<Expr>;

fn node(line: u32, kind: ExprKind) -> Expr {
    Expr { line, kind }
}

impl Parser {
    pub(super) fn expression(&mut self) -> Res<Expr> {
        let depth = self.depth;
        self.deepen()?;
        let parsed = self.conditional()?;
        self.depth = depth;
        Ok(parsed)
    }

    /// One expression, or several with commas between: a tuple. A target (`simple`) has names and attributes alone.
    pub(super) fn tuple(&mut self, with_conditional: bool, ends: &[&str], simple: bool) -> Res<Expr> {
        self.tuple_in(with_conditional, ends, simple, false)
    }

    fn tuple_in(&mut self, with_conditional: bool, ends: &[&str], simple: bool, in_brackets: bool) -> Res<Expr> {
        let line = self.line();
        let depth = self.depth;
        self.deepen()?;
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.at_tuple_end(ends) {
                break;
            }
            items.push(match (simple, with_conditional) {
                (true, _) => self.simple_target()?,
                (_, true) => self.conditional()?,
                _ => self.or()?,
            });
            if !self.is_op(",") {
                break;
            }
            is_tuple = true;
        }
        self.depth = depth;
        if !is_tuple {
            if let Some(only) = items.pop() {
                return Ok(only);
            }
            if !in_brackets {
                return self.unexpected("an expression");
            }
        }
        Ok(node(line, ExprKind::Tuple(items)))
    }

    fn at_tuple_end(&self, ends: &[&str]) -> bool {
        let closes = matches!(self.current(), Token::VariableEnd | Token::BlockEnd) || self.is_op(")");
        closes || ends.iter().any(|end| self.is_name(end))
    }

    fn simple_target(&mut self) -> Res<Expr> {
        let line = self.line();
        let target = self.primary()?;
        if matches!(target.kind, ExprKind::Name(_)) && self.skip_op(".") {
            let attribute = self.expect_name()?;
            return Ok(node(line, ExprKind::Attribute(Box::new(target), attribute)));
        }
        Ok(target)
    }

    fn conditional(&mut self) -> Res<Expr> {
        let line = self.line();
        let known = self.unknown.len();
        let mut value = self.or()?;
        while self.skip_name("if") {
            self.unknown.truncate(known); // the value may never be asked for
            self.deepen()?;
            self.lenient += 1;
            let condition = self.or()?;
            let otherwise = if self.skip_name("else") { Some(Box::new(self.conditional()?)) } else { None };
            self.lenient -= 1;
            value = node(line, ExprKind::If(Box::new(value), Box::new(condition), otherwise));
        }
        Ok(value)
    }

    fn or(&mut self) -> Res<Expr> {
        let line = self.line();
        let mut left = self.and()?;
        while self.skip_name("or") {
            self.deepen()?;
            left = node(line, ExprKind::Or(Box::new(left), Box::new(self.and()?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Res<Expr> {
        let line = self.line();
        let mut left = self.not()?;
        while self.skip_name("and") {
            self.deepen()?;
            left = node(line, ExprKind::And(Box::new(left), Box::new(self.not()?)));
        }
        Ok(left)
    }

    fn not(&mut self) -> Res<Expr> {
        let line = self.line();
        if self.skip_name("not") {
            self.deepen()?;
            return Ok(node(line, ExprKind::Not(Box::new(self.not()?))));
        }
        self.compare()
    }

    fn comparison(&mut self) -> Option<Comparison> {
        if let Token::Op(op) = self.current() {
            let found = COMPARISONS.iter().find(|(name, _)| name == op).map(|&(_, comparison)| comparison)?;
            self.next();
            return Some(found);
        }
        if self.skip_name("in") {
            return Some(Comparison::In);
        }
        if self.is_name("not") && matches!(self.look(), Token::Name(name) if &**name == "in") {
            self.next();
            self.next();
            return Some(Comparison::NotIn);
        }
        None
    }

    fn compare(&mut self) -> Res<Expr> {
        let line = self.line();
        let first = self.sum()?;
        let mut others = Vec::new();
        while let Some(comparison) = self.comparison() {
            others.push((comparison, self.sum()?));
        }
        if others.is_empty() {
            return Ok(first);
        }
        Ok(node(line, ExprKind::Compare(Box::new(first), others)))
    }

    fn chain(&mut self, operators: &[(&str, Binary)], operand: Level) -> Res<Expr> {
        let line = self.line();
        let mut left = operand(self)?;
        loop {
            let Token::Op(op) = self.current() else { return Ok(left) };
            let Some(&(_, binary)) = operators.iter().find(|(name, _)| name == op) else { return Ok(left) };
            self.next();
            self.deepen()?;
            left = node(line, ExprKind::Binary(binary, Box::new(left), Box::new(operand(self)?)));
        }
    }

    fn sum(&mut self) -> Res<Expr> {
        self.chain(&SUMS, Parser::concat)
    }

    fn concat(&mut self) -> Res<Expr> {
        let line = self.line();
        let mut parts = vec![self.product()?];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        if let [_] = parts[..] {
            return Ok(parts.remove(0));
        }
        Ok(node(line, ExprKind::Concat(parts)))
    }

    fn product(&mut self) -> Res<Expr> {
        self.chain(&PRODUCTS, Parser::power)
    }

    fn power(&mut self) -> Res<Expr> {
        self.chain(&POWERS, |parser| parser.unary(true))
    }

    fn unary(&mut self, with_filters: bool) -> Res<Expr> {
        let line = self.line();
        let value = if self.skip_op("-") {
            self.deepen()?;
            node(line, ExprKind::Negative(Box::new(self.unary(false)?)))
        } else if self.skip_op("+") {
            self.deepen()?;
            node(line, ExprKind::Positive(Box::new(self.unary(false)?)))
        } else {
            self.primary()?
        };
        let value = self.postfix(value)?;
        if with_filters {
            return self.filtered(value);
        }
        Ok(value)
    }

    fn primary(&mut self) -> Res<Expr> {
        let line = self.line();
        let literal = |literal| Ok(node(line, ExprKind::Literal(literal)));
        match self.current().clone() {
            Token::Name(name) => {
                self.next();
                match &*name {
                    "true" | "True" => literal(Literal::Bool(true)),
                    "false" | "False" => literal(Literal::Bool(false)),
                    "none" | "None" => literal(Literal::None),
                    _ => {
                        self.note_use(&name);
                        Ok(node(line, ExprKind::Name(name)))
                    }
                }
            }
            Token::Str(mut text) => {
                self.next();
                while let Token::Str(more) = self.current().clone() {
                    text.push_str(&more);
                    self.next();
                }
                literal(Literal::Str(text.into()))
            }
            Token::Int(value) => {
                self.next();
                literal(Literal::Int(value))
            }
            Token::Float(value) => {
                self.next();
                literal(Literal::Float(value))
            }
            Token::Op("(") => {
                self.next();
                let inside = self.tuple_in(true, &[], false, true)?;
                self.expect_op(")")?;
                Ok(inside)
            }
            Token::Op("[") => self.list(),
            Token::Op("{") => self.dict(),
            _ => self.unexpected("an expression"),
        }
    }

    fn note_use(&mut self, name: &str) {
        if let Some(uses) = self.macro_uses.last_mut() {
            uses.varargs |= name == "varargs";
            uses.kwargs |= name == "kwargs";
            uses.caller |= name == "caller";
        }
    }

    fn list(&mut self) -> Res<Expr> {
        let line = self.line();
        self.expect_op("[")?;
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_op("]") {
                break;
            }
            items.push(self.expression()?);
        }
        self.expect_op("]")?;
        Ok(node(line, ExprKind::List(items)))
    }

    fn dict(&mut self) -> Res<Expr> {
        let line = self.line();
        self.expect_op("{")?;
        let mut entries = Vec::new();
        while !self.is_op("}") {
            if !entries.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_op("}") {
                break;
            }
            let key = self.expression()?;
            self.expect_op(":")?;
            entries.push((key, self.expression()?));
        }
        self.expect_op("}")?;
        Ok(node(line, ExprKind::Dict(entries)))
    }

    fn postfix(&mut self, mut value: Expr) -> Res<Expr> {
        loop {
            let line = self.line();
            if self.skip_op(".") {
                value = match self.next() {
                    Token::Name(name) => node(line, ExprKind::Attribute(Box::new(value), name)),
                    Token::Int(index) => {
                        let index = node(line, ExprKind::Literal(Literal::Int(index)));
                        node(line, ExprKind::Item(Box::new(value), Box::new(index)))
                    }
                    _ => return self.fail("expected name or number"),
                };
            } else if self.skip_op("[") {
                value = self.subscript(value)?;
            } else if self.is_op("(") {
                let arguments = self.arguments()?;
                value = node(line, ExprKind::Call(Box::new(value), arguments));
            } else {
                return Ok(value);
            }
            self.deepen()?;
        }
    }

    fn subscript(&mut self, value: Expr) -> Res<Expr> {
        let line = self.line();
        let mut keys = Vec::new();
        let end = |parser: &Parser| parser.is_op("]") || parser.is_op(",");
        while !self.is_op("]") {
            if !keys.is_empty() {
                self.expect_op(",")?;
            }
            let start = if self.is_op(":") { None } else { Some(Box::new(self.expression()?)) };
            if !self.skip_op(":") {
                keys.extend(start.map(|key| *key));
                continue;
            }
            let stop = if self.is_op(":") || end(self) { None } else { Some(Box::new(self.expression()?)) };
            let has_step = self.skip_op(":");
            let step = if has_step && !end(self) { Some(Box::new(self.expression()?)) } else { None };
            if !keys.is_empty() || !self.is_op("]") {
                return self.fail("a slice with other keys beside it");
            }
            self.expect_op("]")?;
            return Ok(node(line, ExprKind::Slice(Box::new(value), [start, stop, step])));
        }
        self.expect_op("]")?;
        let key = match keys.len() {
            1 => keys.remove(0),
            _ => node(line, ExprKind::Tuple(keys)),
        };
        Ok(node(line, ExprKind::Item(Box::new(value), Box::new(key))))
    }

    fn arguments(&mut self) -> Res<Arguments> {
        let mut arguments = Arguments::default();
        let invalid = "invalid syntax for function call expression";
        self.expect_op("(")?;
        let mut first = true;
        while !self.is_op(")") {
            if !first {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            first = false;
            let is_named = matches!(self.current(), Token::Name(_)) && *self.look() == Token::Op("=");
            let spread = arguments.spread.is_some() || arguments.spread_named.is_some();
            if self.skip_op("*") {
                if spread {
                    return self.fail(invalid);
                }
                arguments.spread = Some(Box::new(self.expression()?));
            } else if self.skip_op("**") {
                if arguments.spread_named.is_some() {
                    return self.fail(invalid);
                }
                arguments.spread_named = Some(Box::new(self.expression()?));
            } else if is_named {
                let name = self.expect_name()?;
                self.next();
                arguments.named.push((name, self.expression()?));
            } else {
                if spread || !arguments.named.is_empty() {
                    return self.fail(invalid);
                }
                arguments.positional.push(self.expression()?);
            }
        }
        self.expect_op(")")?;
        Ok(arguments)
    }

    fn filtered(&mut self, mut value: Expr) -> Res<Expr> {
        loop {
            let line = self.line();
            if self.is_op("|") {
                for call in self.filters(false)? {
                    self.deepen()?;
                    value = node(line, ExprKind::Filter(Box::new(value), call));
                }
            } else if self.skip_name("is") {
                self.deepen()?;
                value = self.test(value)?;
            } else if self.is_op("(") {
                self.deepen()?;
                let arguments = self.arguments()?;
                value = node(line, ExprKind::Call(Box::new(value), arguments));
            } else {
                return Ok(value);
            }
        }
    }

    fn dotted_name(&mut self) -> Res<Arc<str>> {
        let mut name = self.expect_name()?;
        while self.skip_op(".") {
            name = format!("{name}.{}", self.expect_name()?).into();
        }
        Ok(name)
    }

    /// Filters one after the other; the first one comes without its bar where `bare`.
    pub(super) fn filters(&mut self, mut bare: bool) -> Res<Vec<FilterCall>> {
        let mut calls = Vec::new();
        while bare || self.skip_op("|") {
            bare = false;
            let line = self.line();
            let name = self.dotted_name()?;
            let arguments = if self.is_op("(") { self.arguments()? } else { Arguments::default() };
            let call = FilterCall { name, line, arguments };
            self.check_filter(&call);
            calls.push(call);
        }
        Ok(calls)
    }

    fn test(&mut self, value: Expr) -> Res<Expr> {
        let line = self.line();
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let mut arguments = Arguments::default();
        let starts_operand = match self.current() {
            Token::Name(name) => !matches!(&**name, "else" | "or" | "and"),
            Token::Str(_) | Token::Int(_) | Token::Float(_) | Token::Op("[" | "{") => true,
            _ => false,
        };
        if self.is_op("(") {
            arguments = self.arguments()?;
        } else if starts_operand {
            if self.is_name("is") {
                return self.fail("You cannot chain multiple tests with is");
            }
            let operand = self.primary()?;
            arguments.positional.push(self.postfix(operand)?);
        }
        let call = FilterCall { name, line, arguments };
        self.check_test(&call);
        let test = node(line, ExprKind::Test(Box::new(value), call));
        Ok(if negated { node(line, ExprKind::Not(Box::new(test))) } else { test })
    }
}
