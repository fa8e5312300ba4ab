//! Items to trees (Go's `parse.go`), with its errors.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::error::{Error, ErrorKind, Limit};
use super::super::fmt::quote;
use super::super::text::Text;
use super::lex::{Kind, LexItem, Lexer};
use super::tree::{Branch, Node, Tree};
use super::unquote::unquote;

/// State shared by all templates of one text while they are parsed.
pub(super) struct SharedTemplates<'t> {
    lexer: Lexer<'t>,
    pub(super) is_function: &'t dyn Fn(&str) -> bool,
    parse_name: Rc<str>,
    source: Rc<str>,
    trees: BTreeMap<Rc<str>, Tree>,
    /// How deep actions and parentheses are nested now, and may be at most.
    depth: usize,
    max_depth: usize,
}

/// One template that is being parsed: the text's own, or one that a `define` or `block` opens.
pub(super) struct TemplateParser<'p, 't> {
    pub(super) shared: &'p mut SharedTemplates<'t>,
    tokens: [LexItem; 3],
    peeked: usize,
    pub(super) variables: Vec<Rc<str>>,
    action_line: usize,
    range_depth: usize,
}

/// How a list of nodes ends.
enum BlockEnd {
    End,
    /// The next token is `if` or `with` when this `else` has one.
    Else,
}

/// A node, or the end of the list.
enum Parsed {
    Node(Node),
    End(BlockEnd),
}

pub(super) type Result<T> = std::result::Result<T, Box<Error>>;

/// The templates in a text, by name: the text itself and those it defines.
pub(in super::super) fn parse(
    name: &str,
    text: &str,
    delims: (&str, &str),
    is_function: &dyn Fn(&str) -> bool,
    max_depth: usize,
) -> Result<BTreeMap<Rc<str>, Tree>> {
    let mut lexer = Lexer::new(text, delims.0, delims.1);
    lexer.break_is_keyword = !is_function("break");
    lexer.continue_is_keyword = !is_function("continue");
    let name: Rc<str> = name.into();
    let mut shared = SharedTemplates {
        lexer,
        is_function,
        parse_name: Rc::clone(&name),
        source: text.into(),
        trees: BTreeMap::new(),
        depth: 0,
        max_depth,
    };
    let mut parser = TemplateParser::new(&mut shared);
    let root = parser.top_level()?;
    parser.add(name, root)?;
    Ok(shared.trees)
}

/// Whether nothing but space is there.
pub(in super::super) fn is_empty(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Text { text, .. } if text.trim().is_empty()))
}

impl<'p, 't> TemplateParser<'p, 't> {
    fn new(shared: &'p mut SharedTemplates<'t>) -> Self {
        let tokens = [LexItem::empty(), LexItem::empty(), LexItem::empty()];
        Self { shared, tokens, peeked: 0, variables: vec!["$".into()], action_line: 0, range_depth: 0 }
    }

    pub(super) fn next(&mut self) -> LexItem {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.shared.lexer.next_item();
        }
        self.tokens[self.peeked].clone()
    }

    pub(super) fn back(&mut self) {
        self.peeked += 1;
    }

    pub(super) fn back_two(&mut self, first: LexItem) {
        self.tokens[1] = first;
        self.peeked = 2;
    }

    pub(super) fn back_three(&mut self, first: LexItem, second: LexItem) {
        self.tokens[1] = second;
        self.tokens[2] = first;
        self.peeked = 3;
    }

    pub(super) fn peek(&mut self) -> LexItem {
        if self.peeked == 0 {
            self.peeked = 1;
            self.tokens[0] = self.shared.lexer.next_item();
        }
        self.tokens[self.peeked - 1].clone()
    }

    pub(super) fn next_non_space(&mut self) -> LexItem {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    pub(super) fn peek_non_space(&mut self) -> LexItem {
        let token = self.next_non_space();
        self.back();
        token
    }

    pub(super) fn fail<T>(&self, cause: impl Into<String>) -> Result<T> {
        let cause = cause.into();
        let (name, line) = (&self.shared.parse_name, self.tokens[0].line);
        Err(Box::new(Error {
            kind: ErrorKind::Parse,
            template: name.to_string(),
            line,
            column: None,
            message: format!("template: {name}:{line}: {cause}"),
            cause,
        }))
    }

    pub(super) fn unexpected<T>(&self, token: &LexItem, context: &str) -> Result<T> {
        if token.kind == Kind::Error {
            let mut extra = String::new();
            if self.action_line != 0 && self.action_line != token.line {
                extra = format!(" in action started at {}:{}", self.shared.parse_name, self.action_line);
                if token.text.ends_with(" action") {
                    extra = extra[" in action".len()..].to_owned();
                }
            }
            return self.fail(format!("{}{extra}", token.shown()));
        }
        self.fail(format!("unexpected {} in {context}", token.shown()))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<LexItem> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    /// Go nests 10,000 parentheses and any number of actions; here both together are bounded.
    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.shared.depth >= self.shared.max_depth {
            let limit = Limit::Depth(self.shared.max_depth);
            return self
                .fail(limit.to_string())
                .map_err(|error: Box<Error>| Box::new(Error { kind: ErrorKind::Limit(limit), ..*error }));
        }
        self.shared.depth += 1;
        let parsed = parse(self);
        self.shared.depth -= 1;
        parsed
    }

    fn add(&mut self, name: Rc<str>, root: Vec<Node>) -> Result<()> {
        let is_free = self.shared.trees.get(&name).is_none_or(|tree| is_empty(&tree.root));
        if is_free {
            let (parse_name, source) = (Rc::clone(&self.shared.parse_name), Rc::clone(&self.shared.source));
            self.shared.trees.insert(Rc::clone(&name), Tree { name, parse_name, source, root });
        } else if !is_empty(&root) {
            return self.fail(format!("template: multiple definition of template {}", quote(name.as_bytes())));
        }
        Ok(())
    }

    fn top_level(&mut self) -> Result<Vec<Node>> {
        let mut root = Vec::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == Kind::Define {
                    self.deeper(|parser| TemplateParser::new(parser.shared).definition())?;
                    continue;
                }
                self.back_two(delim);
            }
            match self.text_or_action()? {
                Parsed::Node(node) => root.push(node),
                Parsed::End(end) => return self.fail(format!("unexpected {}", end.shown())),
            }
        }
        Ok(root)
    }

    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        let (root, end) = self.list()?;
        if !matches!(end, BlockEnd::End) {
            return self.fail(format!("unexpected {} in {CONTEXT}", end.shown()));
        }
        self.add(name, root)
    }

    fn list(&mut self) -> Result<(Vec<Node>, BlockEnd)> {
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Parsed::Node(node) => nodes.push(node),
                Parsed::End(end) => return Ok((nodes, end)),
            }
        }
        self.fail("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Parsed> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Parsed::Node(Node::Text { at: token.at, text: token.text })),
            Kind::LeftDelim => {
                self.action_line = token.line;
                let parsed = self.deeper(Self::action)?;
                self.action_line = 0;
                Ok(parsed)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Parsed> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => {
                self.loop_control("{{break}}")?;
                Node::Break { at: token.at }
            }
            Kind::Continue => {
                self.loop_control("{{continue}}")?;
                Node::Continue { at: token.at }
            }
            Kind::Else => {
                if !matches!(self.peek_non_space().kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Parsed::End(BlockEnd::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Parsed::End(BlockEnd::End));
            }
            Kind::If => Node::If(self.control("if")?),
            Kind::Range => Node::Range(self.control("range")?),
            Kind::With => Node::With(self.control("with")?),
            Kind::Template => self.template()?,
            _ => {
                self.back();
                let at = self.peek().at;
                Node::Action { at, pipe: self.pipeline("command", Kind::RightDelim)? }
            }
        };
        Ok(Parsed::Node(node))
    }

    fn loop_control(&mut self, shown: &str) -> Result<()> {
        let token = self.next_non_space();
        if token.kind != Kind::RightDelim {
            return self.unexpected(&token, shown);
        }
        if self.range_depth == 0 {
            return self.fail(format!("{shown} outside {{{{range}}}}"));
        }
        Ok(())
    }

    fn control(&mut self, keyword: &str) -> Result<Branch> {
        let variables = self.variables.len();
        let pipe = self.pipeline(keyword, Kind::RightDelim)?;
        let in_range = usize::from(keyword == "range");
        self.range_depth += in_range;
        let (list, end) = self.list()?;
        self.range_depth -= in_range;
        let otherwise = match end {
            BlockEnd::End => None,
            BlockEnd::Else => Some(self.otherwise(keyword)?),
        };
        self.variables.truncate(variables);
        Ok(Branch { at: pipe.at, pipe, list, otherwise })
    }

    fn otherwise(&mut self, keyword: &str) -> Result<Vec<Node>> {
        match (keyword, self.peek().kind) {
            ("if", Kind::If) => {
                self.next();
                Ok(vec![Node::If(self.deeper(|parser| parser.control("if"))?)])
            }
            ("with", Kind::With) => {
                self.next();
                Ok(vec![Node::With(self.deeper(|parser| parser.control("with"))?)])
            }
            _ => {
                let (list, end) = self.list()?;
                match end {
                    BlockEnd::End => Ok(list),
                    BlockEnd::Else => self.fail(format!("expected end; found {}", end.shown())),
                }
            }
        }
    }

    fn block(&mut self) -> Result<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let mut block = TemplateParser::new(self.shared);
        let (root, end) = block.list()?;
        if !matches!(end, BlockEnd::End) {
            return self.fail(format!("unexpected {} in {CONTEXT}", end.shown()));
        }
        block.add(Rc::clone(&name), root)?;
        Ok(Node::Template { at: token.at, name, pipe: Some(pipe) })
    }

    fn template(&mut self) -> Result<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != Kind::RightDelim {
            self.back();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        }
        Ok(Node::Template { at: token.at, name, pipe })
    }

    fn template_name(&mut self, token: &LexItem, context: &str) -> Result<Rc<str>> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        let name = self.unquoted(&token.text)?;
        Ok(name.lossy().into())
    }

    pub(super) fn unquoted(&self, quoted: &str) -> Result<Text> {
        match unquote(quoted) {
            Ok(text) => Ok(text.into()),
            Err(cause) => self.fail(cause),
        }
    }
}

impl BlockEnd {
    fn shown(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}
