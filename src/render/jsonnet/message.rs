//! The evaluator's faults in words, and the pieces of text that they are about.

use rsjsonnet_lang::ast::{BinaryOp, UnaryOp};
use rsjsonnet_lang::lexer::LexError;
use rsjsonnet_lang::parser::{ActualToken, ExpectedToken, ParseError};
use rsjsonnet_lang::program::{AnalyzeError, EvalErrorKind, EvalErrorValueType, EvalStackTraceItem, LoadError};
use rsjsonnet_lang::span::SpanId;

/// Why a text is no program.
pub(super) fn of_load(error: &LoadError) -> (String, Option<SpanId>) {
    let (message, span) = match error {
        LoadError::Lex(error) => of_lex(error),
        LoadError::Parse(ParseError::Expected { span, expected, instead }) => {
            let expected: Vec<String> = expected.iter().map(|token| expected_token(*token)).collect();
            (format!("expected {}, found {}", alternatives(&expected), actual_token(instead)), *span)
        }
        LoadError::Analyze(error) => of_analysis(error),
    };
    (message, Some(span))
}

fn of_lex(error: &LexError) -> (String, SpanId) {
    let (message, span) = match error {
        LexError::InvalidChar { span, chr } => return (format!("`{chr}` is not valid in Jsonnet"), *span),
        LexError::InvalidUtf8 { span, .. } => ("this is not UTF-8", span),
        LexError::UnfinishedMultilineComment { span } => ("the comment has no `*/`", span),
        LexError::LeadingZeroInNumber { span } => ("a number cannot start with 0", span),
        LexError::MissingFracDigits { span } => ("a number needs digits after its point", span),
        LexError::MissingExpDigits { span } => ("a number needs digits in its exponent", span),
        LexError::MissingDigitAfterUnderscore { span } => ("a number needs a digit after `_`", span),
        LexError::ExpOverflow { span } => ("the number's exponent is too large", span),
        LexError::InvalidEscapeInString { span, .. } => ("unknown escape in a string", span),
        LexError::IncompleteUnicodeEscape { span } => ("`\\u` needs four digits", span),
        LexError::InvalidUtf16EscapeSequence { span, .. } => ("this is not a UTF-16 character", span),
        LexError::UnfinishedString { span } => ("the string has no closing quote", span),
        LexError::MissingLineBreakAfterTextBlockStart { span } => ("`|||` must be the last of its line", span),
        LexError::MissingWhitespaceTextBlockStart { span } => ("the text after `|||` must be indented", span),
        LexError::InvalidTextBlockTermination { span } => ("the block of text has no closing `|||`", span),
    };
    (message.to_owned(), *span)
}

fn of_analysis(error: &AnalyzeError) -> (String, SpanId) {
    match error {
        AnalyzeError::UnknownVariable { span, name } => (format!("unknown variable `{name}`"), *span),
        AnalyzeError::SelfOutsideObject { self_span } => ("`self` outside of an object".to_owned(), *self_span),
        AnalyzeError::SuperOutsideObject { super_span } => ("`super` outside of an object".to_owned(), *super_span),
        AnalyzeError::DollarOutsideObject { dollar_span } => ("`$` outside of an object".to_owned(), *dollar_span),
        AnalyzeError::RepeatedLocalName { repeated_span, name, .. } => {
            (format!("variable `{name}` is defined twice"), *repeated_span)
        }
        AnalyzeError::RepeatedFieldName { repeated_span, name, .. } => {
            (format!("field `{name}` is defined twice"), *repeated_span)
        }
        AnalyzeError::RepeatedParamName { repeated_span, name, .. } => {
            (format!("parameter `{name}` is defined twice"), *repeated_span)
        }
        AnalyzeError::PositionalArgAfterNamed { arg_span } => {
            ("an argument without a name follows one with a name".to_owned(), *arg_span)
        }
        AnalyzeError::TextBlockAsImportPath { span } => ("an import's path cannot be a `|||` block".to_owned(), *span),
        AnalyzeError::ComputedImportPath { span } => ("an import's path cannot be computed".to_owned(), *span),
    }
}

/// Why a program has no value.
#[expect(clippy::too_many_lines, reason = "a table: one entry for each kind of fault that the evaluator knows")]
pub(super) fn of_evaluation(kind: &EvalErrorKind) -> (String, Option<SpanId>) {
    use EvalErrorKind as Kind;
    let of_type = |what: &str, got: &EvalErrorValueType| format!("{what}, and is {}", value_type(*got));
    match kind {
        Kind::StackOverflow => (format!("more than {} calls deep", super::exchange::MAX_STACK), None),
        Kind::InfiniteRecursion => ("the value needs itself".to_owned(), None),
        Kind::InvalidIndexedType { span, got_type } => {
            (of_type("what `[…]` or `.` follows must be an object, an array or a string", got_type), Some(*span))
        }
        Kind::InvalidSlicedType { span, got_type } => {
            (of_type("a slice needs an array or a string", got_type), Some(*span))
        }
        Kind::SliceIndexOrStepIsNotNumber { span, got_type } => {
            (of_type("a slice's bound must be a number", got_type), Some(*span))
        }
        Kind::StringIndexIsNotNumber { span, got_type } => {
            (of_type("an index into a string must be a number", got_type), Some(*span))
        }
        Kind::ArrayIndexIsNotNumber { span, got_type } => {
            (of_type("an index into an array must be a number", got_type), Some(*span))
        }
        Kind::NumericIndexIsNotValid { span, index } => (format!("{index} is not an index"), Some(*span)),
        Kind::NumericIndexOutOfRange { span, index, length } => {
            (format!("there is no item {index} of {length}"), Some(*span))
        }
        Kind::ObjectIndexIsNotString { span, got_type } | Kind::FieldNameIsNotString { span, got_type } => {
            (of_type("a field's name must be a string", got_type), Some(*span))
        }
        Kind::RepeatedFieldName { span, name } => (format!("field `{name}` is defined twice"), Some(*span)),
        Kind::UnknownObjectField { span, field_name } => (format!("there is no field `{field_name}`"), Some(*span)),
        Kind::FieldOfNonObject { span } => ("only an object has fields".to_owned(), Some(*span)),
        Kind::SuperWithoutSuperObject { span } => ("`super` refers to nothing here".to_owned(), Some(*span)),
        Kind::ForSpecValueIsNotArray { span, got_type } => (of_type("`for` needs an array", got_type), Some(*span)),
        Kind::CondIsNotBool { span, got_type } => (of_type("a condition must be true or false", got_type), Some(*span)),
        Kind::CalleeIsNotFunction { span, got_type } => (of_type("only a function can be called", got_type), *span),
        Kind::TooManyCallArgs { span, num_params } => {
            (format!("more arguments than the function's {num_params}"), *span)
        }
        Kind::UnknownCallParam { span, param_name } => (format!("the function has no parameter `{param_name}`"), *span),
        Kind::RepeatedCallParam { span, param_name } => (format!("parameter `{param_name}` is given twice"), *span),
        Kind::CallParamNotBound { span, param_name } => (format!("parameter `{param_name}` is not given"), *span),
        Kind::NativeCallFailed => ("the function failed".to_owned(), None),
        Kind::InvalidUnaryOpType { span, op, rhs_type } => {
            (format!("`{}` does not go with {}", unary(*op), value_type(*rhs_type)), Some(*span))
        }
        Kind::InvalidBinaryOpTypes { span, op, lhs_type, rhs_type } => (
            format!("`{}` does not go with {} and {}", binary(*op), value_type(*lhs_type), value_type(*rhs_type)),
            *span,
        ),
        Kind::NumberNotBitwiseSafe { span } => ("the number is too large for an operation on bits".to_owned(), *span),
        Kind::NumberOverflow { span } => ("the number is too large".to_owned(), *span),
        Kind::NumberNan { span } => ("the result is not a number".to_owned(), *span),
        Kind::DivByZero { span } => ("division by zero".to_owned(), *span),
        Kind::ShiftByNegative { span } => ("a shift by less than nothing".to_owned(), *span),
        Kind::InvalidStdFuncArgType { func_name, arg_index, expected_types, got_type } => {
            let expected: Vec<String> =
                expected_types.iter().map(|expected| value_type(*expected).to_owned()).collect();
            let argument = arg_index + 1;
            (
                format!(
                    "`std.{func_name}` takes {} as argument {argument}, not {}",
                    alternatives(&expected),
                    value_type(*got_type)
                ),
                None,
            )
        }
        Kind::AssertFailed { span, message } => {
            (message.clone().unwrap_or_else(|| "the assertion does not hold".to_owned()), Some(*span))
        }
        Kind::AssertEqualFailed { lhs, rhs } => (format!("{lhs} does not equal {rhs}"), None),
        Kind::ExplicitError { span, message } => (message.clone(), Some(*span)),
        Kind::ImportFailed { span, path } => (format!("`{path}` could not be imported"), Some(*span)),
        Kind::UnknownExtVar { name } => (format!("no external variable `{name}`"), None),
        Kind::ManifestFunction => ("a function cannot be part of a manifest".to_owned(), None),
        Kind::CompareNullInequality => ("nulls have no order".to_owned(), None),
        Kind::CompareBooleanInequality => ("booleans have no order".to_owned(), None),
        Kind::CompareObjectInequality => ("maps have no order".to_owned(), None),
        Kind::CompareFunctions => ("functions cannot be compared".to_owned(), None),
        Kind::CompareDifferentTypesInequality { lhs_type, rhs_type } => {
            (format!("{} and {} have no order", value_type(*lhs_type), value_type(*rhs_type)), None)
        }
        Kind::PrimitiveEqualsNonPrimitive { got_type } => {
            (format!("{} cannot be compared with a primitive value", value_type(*got_type)), None)
        }
        Kind::Other { span, message } => (message.clone(), *span),
    }
}

/// One step of what led to a fault; nothing for a step that says nothing.
pub(super) fn of_step(item: &EvalStackTraceItem) -> Option<String> {
    Some(match item {
        EvalStackTraceItem::Call { name: Some(name), .. } => format!("in a call of `{name}`"),
        EvalStackTraceItem::Call { name: None, .. } => "in a call".to_owned(),
        EvalStackTraceItem::Variable { name, .. } => format!("in variable `{name}`"),
        EvalStackTraceItem::ArrayItem { index, .. } => format!("in item {index}"),
        EvalStackTraceItem::ObjectField { name, .. } => format!("in field `{name}`"),
        EvalStackTraceItem::Import { .. } => "in an import".to_owned(),
        EvalStackTraceItem::Expr { .. }
        | EvalStackTraceItem::CompareArrayItem { .. }
        | EvalStackTraceItem::CompareObjectField { .. }
        | EvalStackTraceItem::ManifestArrayItem { .. }
        | EvalStackTraceItem::ManifestObjectField { .. } => return None,
    })
}

/// The piece of text that a step is about.
pub(super) fn span_of(item: &EvalStackTraceItem) -> Option<SpanId> {
    match item {
        EvalStackTraceItem::Expr { span }
        | EvalStackTraceItem::Variable { span, .. }
        | EvalStackTraceItem::Import { span } => Some(*span),
        EvalStackTraceItem::Call { span, .. }
        | EvalStackTraceItem::ArrayItem { span, .. }
        | EvalStackTraceItem::ObjectField { span, .. } => *span,
        EvalStackTraceItem::CompareArrayItem { .. }
        | EvalStackTraceItem::CompareObjectField { .. }
        | EvalStackTraceItem::ManifestArrayItem { .. }
        | EvalStackTraceItem::ManifestObjectField { .. } => None,
    }
}

fn value_type(value: EvalErrorValueType) -> &'static str {
    match value {
        EvalErrorValueType::Null => "null",
        EvalErrorValueType::Bool => "a boolean",
        EvalErrorValueType::Number => "a number",
        EvalErrorValueType::String => "text",
        EvalErrorValueType::Array => "a list",
        EvalErrorValueType::Object => "a map",
        EvalErrorValueType::Function => "a function",
    }
}

fn alternatives(words: &[String]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn expected_token(token: ExpectedToken) -> String {
    match token {
        ExpectedToken::EndOfFile => "the end of the file".to_owned(),
        ExpectedToken::Simple(token) => symbol(&format!("{token:?}")),
        ExpectedToken::Ident => "a name".to_owned(),
        ExpectedToken::Number => "a number".to_owned(),
        ExpectedToken::String | ExpectedToken::TextBlock => "text".to_owned(),
        ExpectedToken::Expr => "an expression".to_owned(),
        ExpectedToken::BinaryOp => "an operator".to_owned(),
    }
}

fn actual_token(token: &ActualToken) -> String {
    match token {
        ActualToken::EndOfFile => "the end of the file".to_owned(),
        ActualToken::Simple(token) => symbol(&format!("{token:?}")),
        ActualToken::OtherOp(operator) => format!("`{operator}`"),
        ActualToken::Ident(name) => format!("`{name}`"),
        ActualToken::Number => "a number".to_owned(),
        ActualToken::String | ActualToken::TextBlock => "text".to_owned(),
    }
}

/// A token as it is written: rsjsonnet names symbols by their parts (`PlusColon`), and keywords by themselves (`Import`).
fn symbol(name: &str) -> String {
    const PARTS: [(&str, &str); 25] = [
        ("Exclam", "!"),
        ("Dollar", "$"),
        ("Percent", "%"),
        ("Amp", "&"),
        ("LeftParen", "("),
        ("RightParen", ")"),
        ("Asterisk", "*"),
        ("Plus", "+"),
        ("Comma", ","),
        ("Minus", "-"),
        ("Dot", "."),
        ("Slash", "/"),
        ("Semicolon", ";"),
        ("Colon", ":"),
        ("Lt", "<"),
        ("Eq", "="),
        ("Gt", ">"),
        ("LeftBracket", "["),
        ("RightBracket", "]"),
        ("Hat", "^"),
        ("LeftBrace", "{"),
        ("Pipe", "|"),
        ("RightBrace", "}"),
        ("Tilde", "~"),
        ("_", ""),
    ];
    let mut written = String::new();
    let mut rest = name;
    while let Some((part, sign)) = PARTS.iter().find(|(part, _)| rest.starts_with(part)) {
        written.push_str(sign);
        rest = &rest[part.len()..];
    }
    if rest.is_empty() { format!("`{written}`") } else { format!("`{}`", name.trim_end_matches('_').to_lowercase()) }
}

fn unary(operator: UnaryOp) -> &'static str {
    match operator {
        UnaryOp::Minus => "-",
        UnaryOp::Plus => "+",
        UnaryOp::BitwiseNot => "~",
        UnaryOp::LogicNot => "!",
    }
}

fn binary(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::Shl => "<<",
        BinaryOp::Shr => ">>",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::In => "in",
        BinaryOp::BitwiseAnd => "&",
        BinaryOp::BitwiseOr => "|",
        BinaryOp::BitwiseXor => "^",
        BinaryOp::LogicAnd => "&&",
        BinaryOp::LogicOr => "||",
    }
}
