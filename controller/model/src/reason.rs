//! Reasons for every outcome that is not the planned one: the one table of codes and wording.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $number:literal $code:literal $zh:literal $en:literal;)*) => {
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

            /// Code in reports and summaries.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Wording for operators.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }

            /// Wording for operators in English.
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }
        }
    };
}

reasons! {
    /// The reader saw no code.
    NoRead 1 "no_read" "无码/未识别" "No-read";
    /// The reader saw more than one code.
    MultiCode 2 "multi_code" "多条码" "Several codes";
    /// A code or the number of codes was over the limit.
    CodeTooLong 3 "code_too_long" "条码超长" "Code too long";
    /// The waybill is not in the manifest.
    NoManifest 4 "no_manifest" "无预报" "Not in the manifest";
    /// The plan has no rule for the key.
    NoRoute 5 "no_route" "无路由" "No route in the plan";
    /// Gate 收寄验视 not passed.
    NotInspected 6 "not_inspected" "未验视" "Not inspected";
    /// Gate 过机安检 not passed.
    NotScreened 7 "not_screened" "未安检" "Not screened";
    /// Screening rejected the item.
    ScreeningRejected 8 "screening_rejected" "安检未通过" "Screening rejected";
    /// The same waybill is on the line or has landed.
    Duplicate 9 "duplicate" "重复单号" "Duplicate waybill";
    /// Too close to a neighbour for the bed to change its state.
    GapTooSmall 10 "gap_too_small" "间距过近" "Gap too small";
    /// The route was known too late for every allowed chute.
    RouteLate 11 "route_late" "路由超时" "Route came too late";
    /// The arm was not durable or not sent in time.
    ArmLate 12 "arm_late" "指令过晚" "Command too late";
    /// The node refused the arm.
    ArmRefused 13 "arm_refused" "指令被拒" "Command refused";
    /// Not seen in its window at the arrival eye.
    NotSeen 14 "not_seen" "未按时到达" "Not seen in its window";
    /// Two edges in the window.
    Ambiguous 15 "ambiguous" "到位信号不唯一" "Ambiguous arrival";
    /// The chute was locked or full at the last instant.
    ChuteLocked 16 "chute_locked" "格口锁定或满" "Chute locked or full";
    /// The bed had not returned home.
    BedBusy 17 "bed_busy" "摆轮未回位" "Wheels not home";
    /// No allowed chute is available.
    ChuteOff 18 "chute_off" "格口停用" "Chute off";
    /// Fired, yet seen downstream.
    DivertFailed 19 "divert_failed" "摆出失败" "Divert failed";
    /// Which parcel this is, or where it is, is not certain.
    Uncertain 20 "uncertain" "待核实件" "Uncertain";
    /// Length does not fit: touching or another parcel.
    LengthMismatch 21 "length_mismatch" "长度不符" "Length does not fit";
    /// The controller was away at the decision.
    Restarted 22 "restarted" "控制器重启" "Controller restarted";
    /// An emergency stop or a lease expiry cancelled it.
    Cancelled 23 "cancelled" "急停或通讯超时" "Emergency stop or lease expiry";
    /// A read could not be told to belong to it.
    UnassignedRead 24 "unassigned_read" "读码归属不明" "Read of unknown owner";
    /// Longer than the longest parcel: touching parcels.
    Touching 25 "touching" "连件" "Touching parcels";
    /// Every chute of the key has its fill.
    ChuteFull 40 "chute_full" "格口满格" "Chutes full";
    /// Every chute of the key has had as many parcels as its rate limit allows.
    RateLimit 41 "rate_limit" "格口限速" "Rate limit of the chute";
    /// The key's last truck has left, and nothing is planned for later ones.
    CutOff 42 "cut_off" "已过截单时间" "After the cut-off";
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
}
