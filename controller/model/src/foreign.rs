//! What other lists of outcomes call the same things: proof that ours leaves none of them out, and
//! the way back for people who know the other lists.
//!
//! Facts of public lists, in our words: the carriers' classes, reject reasons of two labellers and
//! sorters, dispositions of a lane sorter, and the exceptions of a diverter line's host.

use crate::reason::{Outcome, Reason};

/// What we call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ours {
    /// A reason.
    Reason(Reason),
    /// An outcome.
    Outcome(Outcome),
    /// An alarm, by its code; the parcels that it touches have a reason or outcome of their own.
    Alarm(&'static str),
    /// A count of what people enter, by its name in reports.
    Entered(&'static str),
    /// It cannot happen on this line, and why.
    Never(&'static str),
}

/// One name of another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The list.
    pub list: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What we call it; never empty.
    pub ours: &'static [Ours],
}

const fn row(list: &'static str, name: &'static str, ours: &'static [Ours]) -> Foreign {
    Foreign { list, name, ours }
}

/// The carriers' exception classes (异常件).
const CARRIERS: &str = "carriers";
/// Reject reasons of a put-wall sorter.
const PUT_WALL: &str = "put-wall sorter";
/// Reject reasons of a label applier.
const LABELLER: &str = "label applier";
/// Dispositions of a lane sorter.
const LANES: &str = "lane sorter";
/// Exceptions and path failures of a wheel-diverter line's host.
const WHEELS: &str = "wheel-diverter host";

use Ours::{Alarm, Entered, Never};

/// Every name of every list.
pub const LISTS: &[Foreign] = &[
    row(CARRIERS, "正常读码", &[Ours::Outcome(Outcome::LandedPlanned)]),
    row(CARRIERS, "超重超限", &[r(Reason::Overweight), r(Reason::Oversize)]),
    row(CARRIERS, "欠费拦截", &[r(Reason::DebtIntercept)]),
    row(CARRIERS, "综合异常口", &[r(Reason::Uncertain), Ours::Outcome(Outcome::EndLanded)]),
    row(CARRIERS, "无码/未识别", &[r(Reason::NoRead), r(Reason::CodeTooLong)]),
    row(CARRIERS, "多条码", &[r(Reason::MultiCode)]),
    row(CARRIERS, "三段码请求超时", &[r(Reason::RouteLate)]),
    row(CARRIERS, "无数据", &[r(Reason::NoManifest)]),
    row(CARRIERS, "三段码未配置/无路由", &[r(Reason::NoRoute)]),
    row(CARRIERS, "超最大循环", &[r(Reason::LapLimit)]),
    row(CARRIERS, "取消件", &[r(Reason::ItemCancelled)]),
    row(CARRIERS, "拦截件", &[r(Reason::Intercepted)]),
    row(
        CARRIERS,
        "格口错/错分",
        &[Entered("missorted"), r(Reason::DivertFailed), r(Reason::OtherCode)],
    ),
    row(CARRIERS, "迷失", &[Ours::Outcome(Outcome::Lost)]),
    row(CARRIERS, "未安检", &[r(Reason::NotScreened), r(Reason::ScreeningRejected)]),
    row(CARRIERS, "未实名", &[r(Reason::NotRealName)]),
    row(CARRIERS, "未验视", &[r(Reason::NotInspected)]),
    row(CARRIERS, "疑似禁寄", &[r(Reason::Prohibited)]),
    row(CARRIERS, "待放行/查验", &[r(Reason::CustomsHold)]),
    row(CARRIERS, "满格无备用", &[r(Reason::ChuteFull), r(Reason::ChuteLocked)]),
    row(CARRIERS, "间距过近·叠件", &[r(Reason::GapTooSmall), r(Reason::Touching)]),
    row(CARRIERS, "无预报", &[r(Reason::NoManifest)]),
    row(CARRIERS, "重复单号", &[r(Reason::Duplicate)]),
    row(CARRIERS, "已过截单时间", &[r(Reason::CutOff)]),
    row(PUT_WALL, "no read", &[r(Reason::NoRead)]),
    row(PUT_WALL, "not found", &[r(Reason::NoManifest)]),
    row(PUT_WALL, "barcode scanner timeout", &[r(Reason::ReaderSilent)]),
    row(PUT_WALL, "multiple pieces triggered", &[r(Reason::Touching), r(Reason::LengthMismatch)]),
    row(PUT_WALL, "gap too small", &[r(Reason::GapTooSmall)]),
    row(PUT_WALL, "unexpected piece", &[r(Reason::Duplicate)]),
    row(PUT_WALL, "back-end not connected", &[r(Reason::RouteLate)]),
    row(LABELLER, "no data from the host", &[r(Reason::RouteLate), r(Reason::NoManifest)]),
    row(LABELLER, "flushed by a safety stop", &[r(Reason::Cancelled)]),
    row(LABELLER, "flushed after a mismatch", &[r(Reason::Uncertain), r(Reason::UnassignedRead)]),
    row(LABELLER, "label not verified", &[Never("the line prints and applies no labels")]),
    row(LANES, "still on the sorter", &[Ours::Outcome(Outcome::OnLine)]),
    row(LANES, "lost", &[Ours::Outcome(Outcome::Lost)]),
    row(LANES, "sorted", &[Ours::Outcome(Outcome::LandedPlanned)]),
    row(LANES, "sorted to an alternate lane", &[Ours::Outcome(Outcome::LandedAlternate)]),
    row(LANES, "inhibited: lane full", &[r(Reason::ChuteFull)]),
    row(LANES, "inhibited: lane disabled", &[r(Reason::ChuteLocked), r(Reason::ChuteOff)]),
    row(LANES, "aborted by the rate limit", &[r(Reason::RateLimit)]),
    row(LANES, "missed shoe", &[r(Reason::DivertFailed), r(Reason::BedBusy)]),
    row(WHEELS, "upstream timeout", &[r(Reason::RouteLate)]),
    row(WHEELS, "path failure", &[r(Reason::DivertFailed)]),
    row(WHEELS, "node degraded", &[r(Reason::ChuteOff), Alarm("node_down")]),
    row(WHEELS, "overload", &[r(Reason::ArmLate), Alarm("commits_stalled")]),
    row(WHEELS, "unreachable", &[r(Reason::ArmRefused), r(Reason::NotSeen)]),
    row(WHEELS, "time to live over", &[r(Reason::ArmLate)]),
    row(WHEELS, "sensor fault", &[r(Reason::ChuteOff), Alarm("eye_stuck"), Alarm("eye_blind")]),
    row(WHEELS, "configuration error", &[Never("a faulty file is refused before the line runs")]),
    row(WHEELS, "direction feedback mismatch", &[r(Reason::BedBusy), r(Reason::DivertFailed)]),
    row(WHEELS, "blocked", &[Alarm("jam"), Alarm("queue_jam"), Ours::Outcome(Outcome::Removed)]),
    row(WHEELS, "diverter fault", &[r(Reason::ChuteOff), r(Reason::BedBusy)]),
    row(WHEELS, "dropped", &[Ours::Outcome(Outcome::Lost), Entered("fallen")]),
    row(WHEELS, "two arrivals in one window", &[r(Reason::Ambiguous)]),
    row(WHEELS, "restart of the host", &[r(Reason::Restarted)]),
    row(WHEELS, "no landing signal", &[Ours::Outcome(Outcome::Unconfirmed)]),
];

const fn r(reason: Reason) -> Ours {
    Ours::Reason(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm;
    use std::collections::BTreeSet;

    /// The classes of domain.md B6 and line-practice.md §5, literally.
    const CLASSES: [&str; 23] = [
        "正常读码",
        "超重超限",
        "欠费拦截",
        "综合异常口",
        "无码/未识别",
        "多条码",
        "三段码请求超时",
        "三段码未配置/无路由",
        "超最大循环",
        "取消件",
        "拦截件",
        "格口错/错分",
        "迷失",
        "未安检",
        "未实名",
        "未验视",
        "疑似禁寄",
        "待放行/查验",
        "满格无备用",
        "间距过近·叠件",
        "无预报",
        "重复单号",
        "无数据",
    ];

    /// J&T's code of each class, where its list has one.
    const JT: [(&str, u16); 11] = [
        ("正常读码", 111),
        ("超重超限", 990),
        ("欠费拦截", 991),
        ("综合异常口", 992),
        ("无码/未识别", 993),
        ("多条码", 994),
        ("三段码请求超时", 995),
        ("三段码未配置/无路由", 996),
        ("取消件", 998),
        ("拦截件", 999),
        ("疑似禁寄", 999),
    ];

    #[test]
    fn every_class_of_the_carriers_is_ours() {
        for class in CLASSES {
            let found = LISTS.iter().find(|row| row.list == CARRIERS && row.name == class);
            assert!(found.is_some(), "{class} is in no row");
        }
        for (class, jt) in JT {
            let found = LISTS.iter().find(|row| row.name == class).expect("a row");
            for ours in found.ours {
                let told = match ours {
                    Ours::Reason(reason) => reason.row().jt,
                    Ours::Outcome(outcome) => outcome.row().jt,
                    Ours::Alarm(_) | Ours::Entered(_) | Ours::Never(_) => continue,
                };
                assert_eq!(told, jt, "{class}");
            }
        }
    }

    #[test]
    fn every_row_leads_somewhere_and_every_reason_is_led_to() {
        let names: BTreeSet<_> = LISTS.iter().map(|row| (row.list, row.name)).collect();
        assert_eq!(names.len(), LISTS.len(), "no name stands twice in a list");
        for row in LISTS {
            assert!(!row.ours.is_empty(), "{} leads nowhere", row.name);
            for ours in row.ours {
                if let Ours::Alarm(code) = ours {
                    assert!(alarm::TABLE.iter().any(|row| row.code == *code), "no alarm {code}");
                }
            }
        }
        let led: BTreeSet<Reason> = LISTS
            .iter()
            .flat_map(|row| row.ours)
            .filter_map(|ours| match ours {
                Ours::Reason(reason) => Some(*reason),
                Ours::Outcome(_) | Ours::Alarm(_) | Ours::Entered(_) | Ours::Never(_) => None,
            })
            .collect();
        let all: BTreeSet<Reason> = Reason::ALL.iter().copied().collect();
        assert_eq!(led, all, "a reason that no list knows needs a row of its own");
    }
}
