//! Carriers and the forms of their waybill numbers: the one table.
//!
//! The forms are collected from public validators, not published by the carriers; they filter slips
//! of the keyboard and of spreadsheets and never say whose parcel it is: the carrier comes from the
//! order, because 13 digits fit both China Post and Yunda. They are also what passes the engine's
//! door: a code of no form here is never kept as it was read.

use line_engine::door::{Door, Form};

/// Version of the table; raised by every change.
pub const VERSION: u32 = 2;

/// A carrier and its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Code in manifests and plans.
    pub code: &'static str,
    /// Name for operators.
    pub name_zh: &'static str,
    /// Forms of [`Form::parse`], each for the whole number.
    pub forms: &'static [&'static str],
}

/// Every carrier that a manifest may name.
pub const CARRIERS: &[Carrier] = &[
    Carrier { code: "SF", name_zh: "顺丰", forms: &["SF[A-Z0-9][0-9]{12}"] },
    Carrier { code: "ZTO", name_zh: "中通", forms: &["7[3-68][0-9]{12}"] },
    Carrier { code: "YTO", name_zh: "圆通", forms: &["YT[0-9]{13}"] },
    Carrier { code: "STO", name_zh: "申通", forms: &["77[0-9]{12,15}", "43[0-9]{12,15}"] },
    Carrier { code: "YUNDA", name_zh: "韵达", forms: &["[34][0-9]{14}", "5[0-9]{12}"] },
    Carrier { code: "JT", name_zh: "极兔", forms: &["JT[0-9]{13}"] },
    Carrier { code: "POST", name_zh: "邮政", forms: POST },
];

/// Beside S10, 13 digits from 9, 8 or 1 on, but never 86 and a mobile number: such digits on a label
/// are somebody's telephone.
const POST: &[&str] = &[
    S10,
    "9[0-9]{12}",
    "1[0-9]{12}",
    "8[0-57-9][0-9]{11}",
    "86[02-9][0-9]{10}",
    "861[0-2][0-9]{9}",
    "P[A-Z][0-9]{11}",
];

/// UPU S10 numbers that begin their way in China; the only form with a public check digit.
const S10: &str = "[A-Z]{2}[0-9]{9}CN";

/// Why a waybill number is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The table has no such carrier.
    UnknownCarrier,
    /// No form of the carrier fits.
    Form(&'static Carrier),
    /// The S10 check digit is wrong.
    CheckDigit {
        /// The digit that would be right.
        right: char,
    },
    /// A spreadsheet has turned the number into a power of ten; its digits are lost.
    Scientific,
}

/// The forms of all carriers, read once for a whole manifest.
#[derive(Debug)]
pub struct Forms(Vec<(&'static Carrier, Vec<(bool, Form)>)>);

impl Default for Forms {
    fn default() -> Self {
        Self::new()
    }
}

impl Forms {
    /// Reads the table.
    ///
    /// # Panics
    /// When the table holds something that is no form, which a test excludes.
    pub fn new() -> Self {
        let read = |form: &&str| (*form == S10, Form::parse(form).expect("the table holds forms"));
        let carriers = CARRIERS.iter();
        Self(carriers.map(|c| (c, c.forms.iter().map(read).collect())).collect())
    }

    /// Checks one number of one carrier.
    ///
    /// # Errors
    /// When the carrier is unknown or the number is not of its form.
    pub fn check(&self, carrier: &str, waybill: &str) -> Result<(), Refused> {
        let found = self.0.iter().find(|(known, _)| known.code == carrier);
        let Some((known, forms)) = found else { return Err(Refused::UnknownCarrier) };
        if scientific(waybill) {
            return Err(Refused::Scientific);
        }
        let fitting = forms.iter().find(|(_, form)| form.fits(waybill.as_bytes()));
        match fitting {
            None => Err(Refused::Form(known)),
            Some((false, _)) => Ok(()),
            Some((true, _)) => s10(waybill),
        }
    }
}

/// The engine's door: every carrier's forms pass. The key is not the site's yet; the daemon gives it.
pub fn door() -> Door {
    let forms = Forms::new().0.into_iter().flat_map(|(_, forms)| forms);
    Door::new([0; 32], forms.map(|(_, form)| form).collect())
}

/// Whether the carrier is in the table.
pub fn is_carrier(code: &str) -> bool {
    CARRIERS.iter().any(|carrier| carrier.code == code)
}

/// 7.31001E+13 and the like.
fn scientific(text: &str) -> bool {
    text.parse::<f64>().is_ok() && text.contains(['e', 'E', '.'])
}

/// Check digit of an S10 number: weights 8 6 4 2 3 5 9 7, 11 minus the sum modulo 11, where 10 is
/// written 0 and 11 is written 5 (UPU S10).
fn s10(waybill: &str) -> Result<(), Refused> {
    let digits: Vec<u32> = waybill.chars().filter_map(|c| c.to_digit(10)).collect();
    let weights = [8, 6, 4, 2, 3, 5, 9, 7];
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
    let right = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    if digits.get(8) == Some(&right) {
        Ok(())
    } else {
        Err(Refused::CheckDigit { right: char::from_digit(right, 10).unwrap_or('?') })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s10_check_digits() {
        // Published vectors and two computed ones with remainders 0 and 1.
        assert_eq!(s10("RB123456785GB"), Ok(()));
        assert_eq!(s10("RB123456786US"), Err(Refused::CheckDigit { right: '5' }));
        assert_eq!(s10("EA473124829CN"), Ok(()));
        let forms = Forms::new();
        assert_eq!(forms.check("POST", "EA100000140CN"), Ok(()));
        assert_eq!(forms.check("POST", "EA100000025CN"), Ok(()));
        assert_eq!(forms.check("POST", "EA100000024CN"), Err(Refused::CheckDigit { right: '5' }));
        assert!(matches!(forms.check("POST", "RB123456785XX"), Err(Refused::Form(_))));
    }

    #[test]
    fn forms_of_every_carrier() {
        let forms = Forms::new();
        let good = [
            ("SF", "SF7551234567890"),
            ("ZTO", "73100118865046"),
            ("YTO", "YT1234567890123"),
            ("STO", "77123456789012"),
            ("STO", "43123456789012345"),
            ("YUNDA", "412345678901234"),
            ("YUNDA", "5123456789012"),
            ("JT", "JT1234567890123"),
            ("POST", "9812345678901"),
            ("POST", "8612345678901"),
            ("POST", "8512345678901"),
            ("POST", "PA12345678901"),
        ];
        for (carrier, waybill) in good {
            assert_eq!(forms.check(carrier, waybill), Ok(()), "{carrier} {waybill}");
        }
        let bad = [
            ("SF", "SF75512345678901"),
            ("SF", "sf7551234567890"),
            ("ZTO", "72100118865046"),
            ("ZTO", " 73100118865046"),
            ("YTO", "JT1234567890123"),
            ("YUNDA", ""),
            ("POST", "8613812345678"),
        ];
        for (carrier, waybill) in bad {
            assert!(matches!(forms.check(carrier, waybill), Err(Refused::Form(_))), "{waybill}");
        }
        assert_eq!(forms.check("DHL", "1"), Err(Refused::UnknownCarrier));
        assert_eq!(forms.check("ZTO", "7.31001E+13"), Err(Refused::Scientific));
    }
}
