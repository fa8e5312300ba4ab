//! One line of comma-separated values, as Go's `encoding/csv` reads it with `TrimLeadingSpace`.

/// Why a line is not CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CsvFault {
    /// A quote in a field that does not begin with one.
    BareQuote,
    /// Text after the closing quote, or no closing quote.
    OpenQuote,
}

/// The fields. Spaces before a field do not count, those after it do.
pub(super) fn fields(line: &str) -> Result<Vec<String>, CsvFault> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) = rest.split_once(',').map_or((rest, None), |(field, after)| (field, Some(after)));
            if field.contains('"') {
                return Err(CsvFault::BareQuote);
            }
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(fields),
            }
            continue;
        };
        let (field, after) = quoted_field(quoted)?;
        fields.push(field);
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None if after.is_empty() => return Ok(fields),
            None => return Err(CsvFault::OpenQuote),
        }
    }
}

/// The field whose opening quote was read, and what follows its closing one.
fn quoted_field(mut rest: &str) -> Result<(String, &str), CsvFault> {
    let mut field = String::new();
    loop {
        let (text, after) = rest.split_once('"').ok_or(CsvFault::OpenQuote)?;
        field.push_str(text);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Ok((field, after)),
        }
    }
}
