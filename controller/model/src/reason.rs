//! Reasons for every outcome that is not the planned one, and the outcomes themselves: the one table
//! of codes, wording, what to do, and what carriers call them.
//!
//! Screens, `REASONS.md` and reports take every word from here. What other lists call the same
//! things stands in [`crate::foreign`].

/// What the table says of one reason or outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Code in reports.
    pub code: &'static str,
    /// `gridCode` in messages to J&T.
    pub jt: u16,
    /// `sorting_status` in messages of the Seagen form.
    pub seagen: u8,
    /// Wording for operators.
    pub zh: &'static str,
    /// Wording for operators in English.
    pub en: &'static str,
    /// What a person does.
    pub act_zh: &'static str,
    /// What a person does, in English.
    pub act_en: &'static str,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $number:literal $code:literal $jt:literal $seagen:literal
        $zh:literal $en:literal; act $act_zh:literal $act_en:literal;)*) => {
        /// Why a parcel did not simply land by plan.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Number in journals; never reused.
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// What the table says of it.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        code: $code,
                        jt: $jt,
                        seagen: $seagen,
                        zh: $zh,
                        en: $en,
                        act_zh: $act_zh,
                        act_en: $act_en,
                    },)*
                }
            }
        }
    };
}

impl Reason {
    /// Code in reports and summaries.
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// Whether two bodies or two codes may be in what is followed as one parcel.
    pub(crate) fn is_mixed(self) -> bool {
        [Self::Touching, Self::LengthMismatch, Self::OtherCode].contains(&self)
    }

    /// Whether a parcel that runs to the end for it may be sorted once a re-scan has read its code.
    /// Several codes stay several when one of them is read alone.
    pub(crate) fn ends_with_a_rescan(self) -> bool {
        [Self::NoRead, Self::Uncertain, Self::UnassignedRead, Self::Restarted].contains(&self)
    }

    /// Wording for operators.
    pub const fn zh(self) -> &'static str {
        self.row().zh
    }

    /// Wording for operators in English.
    pub const fn en(self) -> &'static str {
        self.row().en
    }
}

reasons! {
    /// The reader saw no code.
    NoRead 1 "no_read" 993 3 "无码/未识别" "No-read";
    act "补码后重新供件" "Key the code in and induct it again";
    /// The reader saw more than one code.
    MultiCode 2 "multi_code" 994 7 "多条码" "Several codes";
    act "去除旧面单后重新供件" "Remove the old label and induct it again";
    /// A code or the number of codes was over the limit.
    CodeTooLong 3 "code_too_long" 993 3 "条码超长" "Code too long";
    act "遮盖无关条码后重新供件" "Cover the code that is no waybill and induct it again";
    /// The waybill is not in the manifest.
    NoManifest 4 "no_manifest" 992 2 "无预报" "Not in the manifest";
    act "导入预报后重新供件" "Import the manifest that has it, then induct it again";
    /// The plan has no rule for the key.
    NoRoute 5 "no_route" 996 1 "无路由" "No route in the plan";
    act "在分拣方案中补上该路由" "Add the route to the sort plan";
    /// Gate 收寄验视 not passed.
    NotInspected 6 "not_inspected" 992 255 "未验视" "Not inspected";
    act "补做收寄验视，登记后重新供件" "Inspect it, enter that, then induct it again";
    /// Gate 过机安检 not passed.
    NotScreened 7 "not_screened" 992 255 "未安检" "Not screened";
    act "补做过机安检后重新供件" "Screen it, then induct it again";
    /// Screening rejected the item.
    ScreeningRejected 8 "screening_rejected" 999 255 "安检未通过" "Screening rejected";
    act "隔离并按规定上报，不得发运" "Set it apart and report it; it must not travel";
    /// The same waybill is on the line or has landed.
    Duplicate 9 "duplicate" 992 255 "重复单号" "Duplicate waybill";
    act "找到先到的同号件，核对面单" "Find the first parcel of that number and compare the labels";
    /// Too close to a neighbour for the bed to change its state.
    GapTooSmall 10 "gap_too_small" 992 255 "间距过近" "Gap too small";
    act "重新供件；频繁出现时检查拉距" "Induct it again; often: check the gapping zone";
    /// The manifest's answer came too late for every allowed chute.
    RouteLate 11 "route_late" 995 2 "路由超时" "Route came too late";
    act "重新供件；频繁出现时检查数据库和磁盘" "Induct it again; often: check the database and its disk";
    /// The arm was not durable or not sent in time.
    ArmLate 12 "arm_late" 992 255 "指令过晚" "Command too late";
    act "重新供件；频繁出现时检查总线负荷和磁盘" "Induct it again; often: check the load of the bus and the disk";
    /// The node refused the arm.
    ArmRefused 13 "arm_refused" 992 255 "指令被拒" "Command refused";
    act "重新供件；查看该节点状态" "Induct it again; look at the node's state";
    /// Not seen in its window at the arrival eye.
    NotSeen 14 "not_seen" 992 255 "未按时到达" "Not seen in its window";
    act "重新供件；检查皮带打滑和到位光电" "Induct it again; check slip of the belt and the arrival eye";
    /// Two edges in the window.
    Ambiguous 15 "ambiguous" 992 255 "到位信号不唯一" "Ambiguous arrival";
    act "重新供件；检查拉距和光电抖动" "Induct it again; check gaps and a bouncing eye";
    /// The chute was locked or full at the last instant.
    ChuteLocked 16 "chute_locked" 992 255 "格口锁定或满" "Chute locked or full";
    act "换袋解锁后重新供件" "Change the bag, unlock the chute, then induct it again";
    /// The bed had not returned home.
    BedBusy 17 "bed_busy" 992 255 "摆轮未回位" "Wheels not home";
    act "重新供件；检查摆轮和气压" "Induct it again; check the wheels and the air";
    /// No allowed chute is available.
    ChuteOff 18 "chute_off" 992 255 "格口停用" "Chute off";
    act "恢复摆轮或光电后重新供件" "Bring the diverter or its eye back, then induct it again";
    /// Fired, yet seen downstream.
    DivertFailed 19 "divert_failed" 992 255 "摆出失败" "Divert failed";
    act "重新供件；检查摆轮" "Induct it again; check the wheels";
    /// Which parcel this is, or where it is, is not certain.
    Uncertain 20 "uncertain" 992 255 "待核实件" "Uncertain";
    act "核对单号后重新供件" "Check its number and induct it again";
    /// Length does not fit: touching or another parcel.
    LengthMismatch 21 "length_mismatch" 992 255 "长度不符" "Length does not fit";
    act "分开后逐件重新供件" "Take them apart and induct them one by one";
    /// The controller was away at the decision.
    Restarted 22 "restarted" 992 255 "控制器重启" "Controller restarted";
    act "重新供件" "Induct it again";
    /// An emergency stop or a lease expiry cancelled it.
    Cancelled 23 "cancelled" 992 255 "急停或通讯超时" "Emergency stop or lease expiry";
    act "重新供件" "Induct it again";
    /// A read could not be told to belong to it.
    UnassignedRead 24 "unassigned_read" 992 255 "读码归属不明" "Read of unknown owner";
    act "核对单号后重新供件" "Check its number and induct it again";
    /// Longer than the longest parcel: touching parcels.
    Touching 25 "touching" 992 255 "连件" "Touching parcels";
    act "分开后逐件重新供件" "Take them apart and induct them one by one";
    /// Every chute of the key has its fill.
    ChuteFull 40 "chute_full" 992 255 "格口满格" "Chutes full";
    act "换袋后重新供件" "Change the bag, then induct it again";
    /// Every chute of the key has had as many parcels as its rate limit allows.
    RateLimit 41 "rate_limit" 992 255 "格口限速" "Rate limit of the chute";
    act "重新供件；增加格口或放慢供件" "Induct it again; add a chute or induct more slowly";
    /// The key's last truck has left, and nothing is planned for later ones.
    CutOff 42 "cut_off" 992 255 "已过截单时间" "After the cut-off";
    act "留仓，次日供件" "Keep it for the next day";
    /// A re-scan read another code than the tunnel, or this one elsewhere.
    OtherCode 45 "other_code" 992 255 "复核单号不符" "Another code at the re-scan";
    act "核对单号后重新供件" "Check its number and induct it again";
    /// The reader gave no answer for its trigger in time.
    ReaderSilent 50 "reader_silent" 993 3 "读码超时" "Reader gave no answer";
    act "重新供件；检查读码器" "Induct it again; check the reader";
    /// Heavier than the line takes.
    Overweight 51 "overweight" 990 255 "超重" "Overweight";
    act "复称，走人工通道" "Weigh it again and carry it by hand";
    /// Larger than the line takes.
    Oversize 52 "oversize" 990 255 "超规格" "Oversize";
    act "复量，走人工通道" "Measure it again and carry it by hand";
    /// Gate 实名收寄 not passed, or the safety agreement has run out.
    NotRealName 53 "not_real_name" 992 255 "未实名/协议过期" "No real name or agreement";
    act "补办实名或续签安全协议后重新供件" "Register the sender or renew the agreement, then induct it again";
    /// The carrier holds it for an open debt.
    DebtIntercept 54 "debt_intercept" 991 255 "欠费拦截" "Held for a debt";
    act "交快递公司处理" "Hand it to the carrier";
    /// The order was cancelled or refunded.
    ItemCancelled 55 "item_cancelled" 998 4 "取消件" "Cancelled item";
    act "退回工厂仓库" "Return it to the factory's stock";
    /// The carrier or the factory stopped it.
    Intercepted 56 "intercepted" 999 255 "拦截件" "Intercepted item";
    act "锁存，由指定人员放行，不得装车" "Lock it away; a named person releases it, it must not be loaded";
    /// Suspected prohibited item.
    Prohibited 57 "prohibited" 999 255 "疑似禁寄" "Suspected prohibited item";
    act "立即停止分拣该件，隔离并上报" "Stop sorting it at once, set it apart and report it";
    /// Customs has not released it.
    CustomsHold 58 "customs_hold" 999 255 "待放行/查验" "Customs hold";
    act "海关放行后重新供件" "Induct it again when customs releases it";
    /// It has gone round as often as it may.
    LapLimit 59 "lap_limit" 992 255 "超最大循环" "Went round too often";
    act "查清未落格的原因后重新供件" "Find out why it never landed, then induct it again";
}

impl Reason {
    /// Whether another lap may bring a parcel into its chute that did not get there for this reason;
    /// otherwise nothing changes before a person has done something.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::GapTooSmall
            | Self::RouteLate
            | Self::ArmLate
            | Self::ArmRefused
            | Self::NotSeen
            | Self::Ambiguous
            | Self::ChuteLocked
            | Self::BedBusy
            | Self::ChuteOff
            | Self::DivertFailed
            | Self::Uncertain
            | Self::LengthMismatch
            | Self::Restarted
            | Self::Cancelled
            | Self::UnassignedRead
            | Self::OtherCode
            | Self::Touching
            | Self::ChuteFull
            | Self::RateLimit => true,
            Self::NoRead
            | Self::MultiCode
            | Self::CodeTooLong
            | Self::NoManifest
            | Self::NoRoute
            | Self::NotInspected
            | Self::NotScreened
            | Self::ScreeningRejected
            | Self::Duplicate
            | Self::CutOff
            | Self::ReaderSilent
            | Self::Overweight
            | Self::Oversize
            | Self::NotRealName
            | Self::DebtIntercept
            | Self::ItemCancelled
            | Self::Intercepted
            | Self::Prohibited
            | Self::CustomsHold
            | Self::LapLimit => false,
        }
    }
}

/// What became of a parcel's way along the belt; inducted = the sum of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// In the chute first decided.
    LandedPlanned,
    /// In a chute decided later.
    LandedAlternate,
    /// Off the end of the line, for a reason.
    EndLanded,
    /// Past the end of a line with a return, for a reason: it is inducted again.
    Recirculated,
    /// Taken off or resolved by a person.
    Removed,
    /// Lost by tracking, open.
    Lost,
    /// Fired, not confirmed, open.
    Unconfirmed,
    /// On the line.
    OnLine,
}

impl Outcome {
    /// Every outcome, in the order of the equation.
    pub const ALL: [Self; 8] = [
        Self::LandedPlanned,
        Self::LandedAlternate,
        Self::EndLanded,
        Self::Recirculated,
        Self::Removed,
        Self::Lost,
        Self::Unconfirmed,
        Self::OnLine,
    ];

    /// What the table says of it; an end landing's carrier codes are those of its reason.
    pub const fn row(self) -> Row {
        let (code, jt, seagen, [zh, en, act_zh, act_en]) = match self {
            Self::LandedPlanned => {
                ("landed_planned", 111, 0, ["落格", "Landed as planned", "", ""])
            }
            Self::LandedAlternate => {
                ("landed_alternate", 111, 0, ["备用落格", "Landed in an alternate chute", "", ""])
            }
            Self::EndLanded => (
                "end_landed",
                992,
                255,
                ["末端异常", "End of the line", "按原因处理", "By its reason"],
            ),
            Self::Recirculated => ("recirculated", 992, 255, ["回流", "Gone round again", "", ""]),
            Self::Removed => (
                "removed",
                992,
                255,
                ["人工取件", "Removed by hand", "按登记处理", "As entered by the person"],
            ),
            Self::Lost => (
                "lost",
                992,
                8,
                [
                    "跟踪丢失（待核实）",
                    "Lost by tracking",
                    "沿线查找并登记",
                    "Look along the belt and resolve it",
                ],
            ),
            Self::Unconfirmed => (
                "unconfirmed",
                992,
                255,
                [
                    "未确认落格",
                    "Unconfirmed",
                    "到格口核实并登记",
                    "Look into the chute and resolve it",
                ],
            ),
            Self::OnLine => ("on_line", 992, 255, ["线上", "On the line", "", ""]),
        };
        Row { code, jt, seagen, zh, en, act_zh, act_en }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_and_codes_are_unique() {
        let numbers: BTreeSet<_> = Reason::ALL.iter().map(|r| r.number()).collect();
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        assert_eq!((numbers.len(), codes.len()), (Reason::ALL.len(), Reason::ALL.len()));
    }

    #[test]
    fn every_reason_has_its_words_and_a_carrier_code() {
        for reason in Reason::ALL {
            let Row { code, jt, seagen, zh, en, act_zh, act_en } = reason.row();
            assert!(!zh.is_empty() && !act_zh.is_empty(), "{code} lacks words");
            assert!(!en.is_empty() && !act_en.is_empty(), "{code} lacks words");
            assert!(en.is_ascii() && act_en.is_ascii(), "{code}: not English");
            assert!((990..=999).contains(&jt), "{code}: {jt} is no exception of J&T");
            assert_ne!(seagen, 0, "{code}: 0 is for what is normal");
        }
    }
}
