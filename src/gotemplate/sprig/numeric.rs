//! Numbers: integers are `int64` and wrap around, fractions go by way of decimals.

use super::super::convert::float_of_int;
use super::super::fmt::sprint;
use super::super::parse::{NotANumber, parse_decimal, parse_int};
use super::cast::{ints, to_float, to_int};
use super::decimal::Decimal;
use super::strings::random_below;
use super::{A, ANY, Args, Context, Fault, I, Param, Result, T, TableEntry, Value};

pub(super) const TABLE: &[TableEntry] = &[
    ("atoi", &[T], None, atoi),
    ("int64", &[A], None, |_, args| Ok(Value::int64(to_int(args.value(0))))),
    ("int", &[A], None, |_, args| Ok(Value::int(to_int(args.value(0))))),
    ("float64", &[A], None, |_, args| Ok(Value::Float64(to_float(args.value(0))))),
    ("seq", &[], Some(I), seq),
    ("toDecimal", &[A], None, to_decimal),
    ("until", &[I], None, until),
    ("untilStep", &[I, I, I], None, until_step),
    ("add1", &[A], None, |_, args| Ok(Value::int64(to_int(args.value(0)).wrapping_add(1)))),
    ("add", &[], ANY, |_, args| Ok(Value::int64(args.rest(0).map(to_int).fold(0, i64::wrapping_add)))),
    ("sub", &[A, A], None, |_, args| Ok(Value::int64(to_int(args.value(0)).wrapping_sub(to_int(args.value(1)))))),
    ("div", &[A, A], None, |_, args| divided(args, i64::wrapping_div)),
    ("mod", &[A, A], None, |_, args| divided(args, i64::wrapping_rem)),
    ("mul", &[A], ANY, |_, args| Ok(Value::int64(args.rest(0).map(to_int).fold(1, i64::wrapping_mul)))),
    ("randInt", &[I, I], None, rand_int),
    ("add1f", &[A], None, |_, args| decimal(args.value(0), std::iter::once(&Value::int(1)), |a, b| Ok(a.plus(b)))),
    ("addf", &[], ANY, |_, args| decimal(&Value::Float64(0.0), args.rest(0), |a, b| Ok(a.plus(b)))),
    ("subf", &[A], ANY, |_, args| decimal(args.value(0), args.rest(1), |a, b| Ok(a.minus(b)))),
    ("divf", &[A], ANY, |_, args| decimal(args.value(0), args.rest(1), Decimal::divided_by)),
    ("mulf", &[A], ANY, |_, args| decimal(args.value(0), args.rest(1), |a, b| Ok(a.times(b)))),
    ("biggest", &[A], ANY, max),
    ("max", &[A], ANY, max),
    ("min", &[A], ANY, |_, args| Ok(Value::int64(args.rest(0).map(to_int).min().unwrap_or(0)))),
    ("maxf", &[A], ANY, |_, args| Ok(extreme(args, |best, next| next > best))),
    ("minf", &[A], ANY, |_, args| Ok(extreme(args, |best, next| next < best))),
    ("ceil", &[A], None, |_, args| Ok(Value::Float64(to_float(args.value(0)).ceil()))),
    ("floor", &[A], None, |_, args| Ok(Value::Float64(to_float(args.value(0)).floor()))),
    ("round", &[A, I], Some(Param::Float64), round),
];

/// A number out of range becomes the nearest in range, as `strconv.Atoi` returns it beside its error.
fn atoi(_: &mut dyn Context, args: Args<'_>) -> Result {
    let text = String::from_utf8_lossy(args.text(0));
    Ok(Value::int(match parse_decimal(&text) {
        Ok(number) => number,
        Err(NotANumber::Range) if text.starts_with('-') => i64::MIN,
        Err(NotANumber::Range) => i64::MAX,
        Err(NotANumber::Syntax) => 0,
    }))
}

fn divided(args: Args<'_>, divide: fn(i64, i64) -> i64) -> Result {
    match to_int(args.value(1)) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::int64(divide(to_int(args.value(0)), divisor))),
    }
}

fn max(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::int64(args.rest(0).map(to_int).max().unwrap_or(0)))
}

/// `math.Max` and `math.Min`: NaN wins.
fn extreme(args: Args<'_>, is_better: fn(f64, f64) -> bool) -> Value {
    let mut best = to_float(args.value(0));
    for next in args.rest(1).map(to_float) {
        if next.is_nan() || is_better(best, next) {
            best = if best.is_nan() { best } else { next };
        }
    }
    Value::Float64(best)
}

fn decimal<'v>(
    first: &Value,
    others: impl Iterator<Item = &'v Value>,
    operation: fn(&Decimal, &Decimal) -> std::result::Result<Decimal, Fault>,
) -> Result {
    let mut result = Decimal::from_float(to_float(first))?;
    for other in others {
        result = operation(&result, &Decimal::from_float(to_float(other))?)?;
    }
    Ok(Value::Float64(result.to_float()))
}

fn round(_: &mut dyn Context, args: Args<'_>) -> Result {
    let threshold = if args.len() > 2 { args.float(2) } else { 0.5 };
    let power = 10.0_f64.powf(float_of_int(args.int(1)));
    let digit = power * to_float(args.value(0));
    let rounded = if digit.fract() >= threshold { digit.ceil() } else { digit.floor() };
    Ok(Value::Float64(rounded / power))
}

fn to_decimal(_: &mut dyn Context, args: Args<'_>) -> Result {
    let text = sprint(args.rest(0), 1024)?;
    let text = String::from_utf8_lossy(&text);
    let number = if text.contains('_') { None } else { parse_int(&text, 8).ok() };
    Ok(Value::int64(number.unwrap_or(0)))
}

/// sprig's `untilStep`, within what the run may make.
fn stepped(context: &mut dyn Context, start: i64, end: i64, step: i64) -> std::result::Result<Vec<i64>, Fault> {
    let mut numbers = Vec::new();
    let (is_down, distance) = (end < start, start.abs_diff(end));
    if (is_down && step >= 0) || (!is_down && step <= 0) {
        return Ok(numbers);
    }
    let count = usize::try_from(distance / step.unsigned_abs()).unwrap_or(usize::MAX);
    context.charge(count.saturating_mul(32))?;
    let mut number = start;
    while (is_down && number > end) || (!is_down && number < end) {
        numbers.push(number);
        match number.checked_add(step) {
            Some(next) => number = next,
            None => break,
        }
    }
    Ok(numbers)
}

fn until(context: &mut dyn Context, args: Args<'_>) -> Result {
    let stop = args.int(0);
    Ok(ints(stepped(context, 0, stop, if stop < 0 { -1 } else { 1 })?))
}

fn until_step(context: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(ints(stepped(context, args.int(0), args.int(1), args.int(2))?))
}

fn seq(context: &mut dyn Context, args: Args<'_>) -> Result {
    let (start, step, end) = match args.len() {
        1 => (1, None, args.int(0)),
        2 => (args.int(0), None, args.int(1)),
        3 => (args.int(0), Some(args.int(1)), args.int(2)),
        _ => return Ok(Value::text("")),
    };
    let direction = if end < start { -1 } else { 1 };
    if step.is_some_and(|step| end < start && step > 0) {
        return Ok(Value::text(""));
    }
    let numbers = stepped(context, start, end.saturating_add(direction), step.unwrap_or(direction))?;
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    Ok(Value::text(texts.join(" ")))
}

fn rand_int(context: &mut dyn Context, args: Args<'_>) -> Result {
    let (min, max) = (args.int(0), args.int(1));
    let Some(width) = max.checked_sub(min).and_then(|width| u64::try_from(width).ok()).filter(|width| *width > 0)
    else {
        return Err("invalid argument to Intn".into());
    };
    let offset = random_below(context, width)?;
    Ok(Value::int(min.wrapping_add_unsigned(offset)))
}
