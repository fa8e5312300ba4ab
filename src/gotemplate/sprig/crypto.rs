//! Randomness, derived passwords, and the names of what is refused: keys, certificates and ciphers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{hmac, pbkdf2};

use super::super::convert::size;
use super::{Args, Context, Fault, I, Param, Result, T, TableEntry, Value};

const LIST: Param = Param::List;

pub(super) const TABLE: &[TableEntry] = &[
    ("randBytes", &[I], None, rand_bytes),
    ("uuidv4", &[], None, uuid),
    ("derivePassword", &[Param::Uint32, T, T, T, T], None, derive_password),
    ("bcrypt", &[T], None, |_, _| random("bcrypt")),
    ("htpasswd", &[T, T], None, |_, _| random("htpasswd")),
    ("genPrivateKey", &[T], None, |_, _| random("genPrivateKey")),
    ("buildCustomCert", &[T, T], None, |_, _| refused("buildCustomCert", "certificates are not read")),
    ("genCA", &[T, I], None, |_, _| random("genCA")),
    ("genCAWithKey", &[T, I, T], None, |_, _| random("genCAWithKey")),
    ("genSelfSignedCert", &[T, LIST, LIST, I], None, |_, _| random("genSelfSignedCert")),
    ("genSelfSignedCertWithKey", &[T, LIST, LIST, I, T], None, |_, _| random("genSelfSignedCertWithKey")),
    ("genSignedCert", &[T, LIST, LIST, I, CERTIFICATE], None, |_, _| random("genSignedCert")),
    ("genSignedCertWithKey", &[T, LIST, LIST, I, CERTIFICATE, T], None, |_, _| random("genSignedCertWithKey")),
    ("encryptAES", &[T, T], None, |_, _| random("encryptAES")),
    ("decryptAES", &[T, T], None, |_, _| refused("decryptAES", "ciphers are not supported")),
];

const CERTIFICATE: Param = Param::Object("sprig.certificate");

/// Refuses a function whose result cannot be compared with that of another run.
fn random(name: &str) -> Result {
    refused(name, "its result differs at each run, so that what it is part of is never the same")
}

fn refused(name: &str, why: &str) -> Result {
    Err(Fault::new(format!("`{name}` is refused: {why}")))
}

fn rand_bytes(context: &mut dyn Context, args: Args<'_>) -> Result {
    if args.int(0) < 0 {
        return Err("runtime error: makeslice: len out of range".into());
    }
    let count = size(args.int(0));
    context.charge(count)?;
    let mut bytes = vec![0; count];
    context.host().fill_random(&mut bytes)?;
    Ok(Value::text(STANDARD.encode(bytes)))
}

fn uuid(context: &mut dyn Context, _: Args<'_>) -> Result {
    let mut bytes = [0; 16];
    context.host().fill_random(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut text = super::encode::hex(&bytes);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    Ok(Value::text(text))
}

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// The forms of passwords; each letter stands for a class of characters.
fn forms(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn class(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn with_length(seed: &[u8], text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [seed, &length.to_be_bytes(), text].concat()
}

/// The Master Password algorithm.
fn derive_password(context: &mut dyn Context, args: Args<'_>) -> Result {
    let Some(forms) = forms(args.text(1)) else {
        let kind = String::from_utf8_lossy(args.text(1));
        return Ok(Value::text(format!("cannot find password template {kind}")));
    };
    // The memory that scrypt works on.
    context.charge(32 << 20)?;
    let key = scrypt(args.text(2), &with_length(SEED, args.text(3)));
    let counter = u32::try_from(args.int(0)).unwrap_or(0);
    let message = [with_length(SEED, args.text(4)), counter.to_be_bytes().to_vec()].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
    let seed = tag.as_ref();
    let form = forms[usize::from(seed[0]) % forms.len()];
    let password: Vec<u8> = form
        .bytes()
        .zip(&seed[1..])
        .map(|(letter, byte)| {
            let class = class(letter);
            class[usize::from(*byte) % class.len()]
        })
        .collect();
    Ok(Value::text(password))
}

/// scrypt with N = 32768, r = 8, p = 2 and 64 bytes of key (RFC 7914).
fn scrypt(password: &[u8], salt: &[u8]) -> [u8; 64] {
    const BLOCK: usize = 128 * 8;
    let mut blocks = vec![0; BLOCK * 2];
    let once = std::num::NonZeroU32::MIN;
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, once, salt, password, &mut blocks);
    for block in blocks.chunks_mut(BLOCK) {
        mix(block);
    }
    let mut key = [0; 64];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, once, &blocks, password, &mut key);
    key
}

const WORDS: usize = 256;
const ROUNDS: usize = 32_768;

fn mix(block: &mut [u8]) {
    let mut words = [0_u32; WORDS];
    for (word, bytes) in words.iter_mut().zip(block.chunks(4)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    let mut seen = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        seen.push(words);
        words = mixed(&words);
    }
    for _ in 0..ROUNDS {
        let other = usize::try_from(words[WORDS - 16]).unwrap_or(0) % ROUNDS;
        for (word, other) in words.iter_mut().zip(&seen[other]) {
            *word ^= other;
        }
        words = mixed(&words);
    }
    for (word, bytes) in words.iter().zip(block.chunks_mut(4)) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
}

fn mixed(words: &[u32; WORDS]) -> [u32; WORDS] {
    let mut result = [0; WORDS];
    let mut last = [0; 16];
    last.copy_from_slice(&words[WORDS - 16..]);
    for (index, chunk) in words.chunks(16).enumerate() {
        for (word, other) in last.iter_mut().zip(chunk) {
            *word ^= other;
        }
        last = salsa(last);
        let place = (index / 2 + (index % 2) * 8) * 16;
        result[place..place + 16].copy_from_slice(&last);
    }
    result
}

/// Salsa20/8.
fn salsa(input: [u32; 16]) -> [u32; 16] {
    const QUARTERS: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [5, 9, 13, 1],
        [10, 14, 2, 6],
        [15, 3, 7, 11],
        [0, 1, 2, 3],
        [5, 6, 7, 4],
        [10, 11, 8, 9],
        [15, 12, 13, 14],
    ];
    let mut words = input;
    for _ in 0..4 {
        for [a, b, c, d] in QUARTERS {
            words[b] ^= words[a].wrapping_add(words[d]).rotate_left(7);
            words[c] ^= words[b].wrapping_add(words[a]).rotate_left(9);
            words[d] ^= words[c].wrapping_add(words[b]).rotate_left(13);
            words[a] ^= words[d].wrapping_add(words[c]).rotate_left(18);
        }
    }
    std::array::from_fn(|at| words[at].wrapping_add(input[at]))
}
