// SPDX-License-Identifier: Apache-2.0
//! A parsed template.

use std::sync::Arc;

pub struct Template {
    pub body: Vec<Stmt>,
}

pub struct Stmt {
    pub line: u32,
    pub kind: StmtKind,
}

pub enum StmtKind {
    Data(Arc<str>),
    Print(Vec<Expr>),
    Set(Target, Expr),
    SetBlock(Target, Vec<FilterCall>, Vec<Stmt>),
    For(Arc<ForLoop>),
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Macro(Arc<MacroDef>),
    /// A call whose callee gets the macro as `caller`.
    CallBlock(Arc<MacroDef>, Expr),
    FilterBlock(Vec<FilterCall>, Vec<Stmt>),
    /// Statements whose variables end with them.
    Scope(Vec<Stmt>),
    /// A named block, which sees the variables of the template alone.
    Block(Vec<Stmt>),
    Break,
    Continue,
    /// What parses and cannot run here.
    Fail(String),
}

pub struct ForLoop {
    pub target: Target,
    pub items: Expr,
    pub condition: Option<Expr>,
    pub recursive: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
}

pub struct MacroDef {
    pub name: Arc<str>,
    pub parameters: Vec<(Arc<str>, Option<Expr>)>,
    pub body: Vec<Stmt>,
    pub takes_varargs: bool,
    pub takes_kwargs: bool,
    pub takes_caller: bool,
}

pub enum Target {
    Name(Arc<str>),
    Attribute(Arc<str>, Arc<str>),
    Tuple(Vec<Target>),
}

pub struct Expr {
    pub line: u32,
    pub kind: ExprKind,
}

#[derive(Clone)]
pub enum Literal {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
}

pub enum ExprKind {
    Literal(Literal),
    Name(Arc<str>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    Call(Box<Expr>, Arguments),
    Filter(Box<Expr>, FilterCall),
    Test(Box<Expr>, FilterCall),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// Value, condition, value otherwise.
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
}

pub struct FilterCall {
    pub name: Arc<str>,
    pub line: u32,
    pub arguments: Arguments,
}

#[derive(Default)]
pub struct Arguments {
    pub positional: Vec<Expr>,
    pub named: Vec<(Arc<str>, Expr)>,
    pub spread: Option<Box<Expr>>,
    pub spread_named: Option<Box<Expr>>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}
