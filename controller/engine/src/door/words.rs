//! The door for what people write: the reason of a command is free text, and free text may name
//! somebody.
//!
//! Telephone and identity numbers, addresses of mail, what stands behind a word such as 收件人, a
//! surname before 先生 or 女士, and places down to a street are closed as codes are. A bare name in a
//! sentence cannot be told from a word: that is what the short texts to choose from are for.

use super::Door;
use alloc::string::String;
use alloc::vec::Vec;

/// Fewest digits of a number that may be somebody's; shorter ones are chutes, bags and minutes.
const DIGITS_MIN: usize = 7;
/// Longest name behind a word that announces one.
const NAME_MAX: usize = 8;
/// What announces a name.
const ANNOUNCE: [&str; 8] =
    ["收件人", "寄件人", "收货人", "发件人", "联系人", "姓名", "name:", "Name:"];
/// What follows a surname.
const HONORIFIC: [&str; 4] = ["先生", "女士", "小姐", "太太"];
/// What a town or province ends with.
const REGION: [char; 6] = ['省', '市', '区', '县', '镇', '村'];
/// What a street, house or flat ends with.
const STREET: [char; 8] = ['路', '街', '巷', '弄', '栋', '幢', '号', '室'];

/// A part of the text that is to be closed: from, to, in characters.
type Span = (usize, usize);

impl Door {
    /// The text with what may be somebody's closed; everything else stays.
    pub fn words(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let mut spans: Vec<Span> = self.numbers(&chars);
        spans.extend(mail(&chars));
        spans.extend(announced(&chars));
        spans.extend(surnames(&chars));
        spans.extend(places(&chars));
        spans.sort_unstable();
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        let mut spans = spans.into_iter().peekable();
        while let Some((from, mut to)) = spans.next() {
            while let Some((_, end)) = spans.next_if(|(next, _)| *next <= to) {
                to = to.max(end);
            }
            out.extend(chars.get(at..from).unwrap_or_default());
            let part: String = chars.get(from..to).unwrap_or_default().iter().collect();
            out.push_str(&self.close(part.as_bytes()));
            at = to;
        }
        out.extend(chars.get(at..).unwrap_or_default());
        out
    }

    /// Runs of digits, with what stands between the groups of a telephone number; a whole waybill
    /// number is nobody's.
    fn numbers(&self, chars: &[char]) -> Vec<Span> {
        let mut spans = Vec::new();
        let joins = |c: char| matches!(c, ' ' | '-' | '*' | '(' | ')' | '+' | '·');
        let part = |c: char| c.is_numeric() || joins(c) || matches!(c, 'x' | 'X');
        for (from, to) in runs(chars, |c| c.is_ascii_alphanumeric() || part(c)) {
            let mut words = runs(chars.get(from..to).unwrap_or_default(), |c| !joins(c));
            let known = words.all(|(a, b)| {
                let word: String =
                    chars.get(from + a..from + b).unwrap_or_default().iter().collect();
                digits(&word) < DIGITS_MIN || self.forms.iter().any(|f| f.fits(word.as_bytes()))
            });
            let grouped: Vec<Span> = runs(chars.get(from..to).unwrap_or_default(), part).collect();
            for (a, b) in grouped {
                let (from, to) = (from + a, from + b);
                let run: String = chars.get(from..to).unwrap_or_default().iter().collect();
                let words = run.split(joins).filter(|word| !word.is_empty());
                let loose =
                    words.filter(|word| digits(word) < DIGITS_MIN).map(digits).sum::<usize>();
                if digits(&run) >= DIGITS_MIN && (!known || loose >= DIGITS_MIN) {
                    spans.push(trimmed(chars, from, to, joins));
                }
            }
        }
        spans
    }
}

fn digits(text: &str) -> usize {
    text.chars().filter(|c| c.is_numeric()).count()
}

/// Runs of characters of one kind.
fn runs(chars: &[char], is: impl Fn(char) -> bool) -> impl Iterator<Item = Span> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let from = at + chars.get(at..)?.iter().position(|c| is(*c))?;
        let rest = chars.get(from..)?;
        let length = rest.iter().position(|c| !is(*c)).unwrap_or(rest.len());
        at = from + length;
        Some((from, at))
    })
}

fn trimmed(chars: &[char], mut from: usize, mut to: usize, joins: impl Fn(char) -> bool) -> Span {
    let blank = |at: usize| chars.get(at).is_some_and(|c| joins(*c) && *c != '+');
    while from < to && blank(from) {
        from += 1;
    }
    while from < to && blank(to - 1) {
        to -= 1;
    }
    (from, to)
}

fn mail(chars: &[char]) -> impl Iterator<Item = Span> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@');
    runs(chars, word).filter(|(from, to)| chars.get(*from..*to).is_some_and(|w| w.contains(&'@')))
}

fn starts_with(chars: &[char], at: usize, word: &str) -> bool {
    let rest = chars.get(at..).unwrap_or_default();
    word.chars().count() <= rest.len() && word.chars().zip(rest).all(|(a, b)| a == *b)
}

/// What stands behind a word that announces a name, up to a blank or a mark.
fn announced(chars: &[char]) -> Vec<Span> {
    let mut spans = Vec::new();
    for at in 0..chars.len() {
        let Some(word) = ANNOUNCE.iter().find(|word| starts_with(chars, at, word)) else {
            continue;
        };
        let behind = at + word.chars().count();
        let rest = chars.get(behind..).unwrap_or_default();
        let from =
            behind + rest.iter().take_while(|c| matches!(c, ':' | '：' | ' ' | '是')).count();
        let name = chars.get(from..).unwrap_or_default().iter();
        let length = name.take(NAME_MAX).take_while(|c| c.is_alphabetic()).count();
        if length > 0 {
            spans.push((from, from + length));
        }
    }
    spans
}

/// One character before 先生 and the like: the surname; the two before are a word more often.
fn surnames(chars: &[char]) -> Vec<Span> {
    let called = |at: &usize| HONORIFIC.iter().any(|word| starts_with(chars, *at, word));
    let before = (1..chars.len()).filter(called);
    let han = |at: &usize| chars.get(at - 1).is_some_and(|c| is_han(*c));
    before.filter(han).map(|at| (at - 1, at)).collect()
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}')
}

/// A run that names a region and a street, or a street with its house.
fn places(chars: &[char]) -> impl Iterator<Item = Span> {
    runs(chars, |c| is_han(c) || c.is_ascii_alphanumeric()).filter(|(from, to)| {
        let run = chars.get(*from..*to).unwrap_or_default();
        let regions = run.iter().filter(|c| REGION.contains(c)).count();
        let streets = run.iter().filter(|c| STREET.contains(c)).count();
        let numbered = run.iter().any(char::is_ascii_digit);
        (regions > 0 && streets > 0 && numbered) || regions > 2 || (streets > 1 && numbered)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::*;

    fn door() -> Door {
        let forms = ["SF[A-Z0-9][0-9]{12}", "YT[0-9]{13}", "7[3-68][0-9]{12}"];
        Door::new([7; 32], forms.iter().map(|form| Form::parse(form).expect("a form")).collect())
    }

    #[test]
    fn what_is_somebodys_is_closed() {
        for (text, somebodys) in [
            ("客户 13812345678 来电要求暂停", "13812345678"),
            ("电话138-1234-5678", "138-1234-5678"),
            ("call +86 138 1234 5678 first", "138 1234 5678"),
            ("0755-26001234", "26001234"),
            ("138****5678 催件 13812345", "13812345"),
            ("身份证11010519900307123X", "11010519900307123X"),
            ("收件人：张三 拒收", "张三"),
            ("联系人李小四，改址", "李小四"),
            ("王先生取件", "王"),
            ("zhang.san@mail.example wants it", "zhang.san"),
            ("退回深圳市南山区科技路18号3栋502", "科技路18号"),
            ("件 YT1234567890123 是 13812345678 的", "13812345678"),
            ("１３８１２３４５６７８", "１３８１２３４５６７８"),
        ] {
            let told = door().words(text);
            assert!(!told.contains(somebodys), "{text}: {told}");
            assert!(told.contains('?'), "{text}: {told}");
            assert_eq!(told, door().words(text), "the same again");
        }
    }

    #[test]
    fn what_people_say_of_a_line_stays() {
        for text in [
            "",
            "3号格口卡件，暂停 10 分钟",
            "换班",
            "jam at chute 12, bag 0042 full",
            "件 SF1234567890123 卡在 D3",
            "YT1234567890123 73123456789012 重复扫描",
            "18:30 收车",
            "2026-11-28 盘点",
            "D1 eye PE-07 terminal X3.12",
            "12号格口满，请换包",
            "换 5 号皮带电机",
        ] {
            let told = door().words(text);
            if text.starts_with("2026") {
                // A date has eight digits in groups, as a telephone number may have.
                assert!(told.ends_with("盘点"), "{told}");
            } else {
                assert_eq!(told, text);
            }
        }
    }
}
