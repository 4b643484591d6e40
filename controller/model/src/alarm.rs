//! Alarms of the line (ISA-18.2): what calls for a person, and the one table of what each of them
//! means, what it leads to and what to do.
//!
//! Screens, `ALARMS.md` and reports take every word from here.

use crate::ids::{ChuteNo, EyeId, NodeId, ParcelId};
use units::Micros;

/// A text in the languages of the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Simplified Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// How soon a person must act (ISA-18.2: by consequence and time left).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody should look during the shift.
    Low,
    /// Within minutes, or single parcels go to the end of the line.
    Medium,
    /// At once: the line stands, or will.
    High,
}

impl Priority {
    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// When an alarm ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// With its condition.
    WithCondition,
    /// It tells of the past, and ends when a person has seen it: acknowledged, or the line reset or
    /// started.
    WhenSeen,
}

/// What the table says of one alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number in documents; never reused.
    pub number: u16,
    /// Code in reports.
    pub code: &'static str,
    /// How soon a person must act.
    pub priority: Priority,
    /// When it ends.
    pub ends: Ends,
    /// Its condition stands for so long before it is raised.
    pub on_delay: Micros,
    /// Its condition is gone for so long before it is cleared.
    pub off_delay: Micros,
    /// What is wrong; `{}` is the place or the thing.
    pub text: Words,
    /// What usually brings it about.
    pub cause: Words,
    /// What it leads to.
    pub consequence: Words,
    /// What a person does.
    pub action: Words,
}

macro_rules! alarms {
    ($($(#[$doc:meta])* $name:ident $(($of:ty))? = $number:literal $code:literal
        $priority:ident $ends:ident, $on:literal ms on, $off:literal ms off;
        text $text_zh:literal $text_en:literal;
        cause $cause_zh:literal $cause_en:literal;
        consequence $consequence_zh:literal $consequence_en:literal;
        action $action_zh:literal $action_en:literal;
    )*) => {
        /// One alarm condition; equal values are the same alarm.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Alarm {
            $($(#[$doc])* $name $(($of))?,)*
        }

        /// The table, in order of the numbers.
        pub const TABLE: &[Row] = &[$(Row {
            number: $number,
            code: $code,
            priority: Priority::$priority,
            ends: Ends::$ends,
            on_delay: Micros::from_millis($on),
            off_delay: Micros::from_millis($off),
            text: Words { zh: $text_zh, en: $text_en },
            cause: Words { zh: $cause_zh, en: $cause_en },
            consequence: Words { zh: $consequence_zh, en: $consequence_en },
            action: Words { zh: $action_zh, en: $action_en },
        },)*];

        impl Alarm {
            /// Number in documents.
            pub const fn number(self) -> u16 {
                match self { $(Self::$name { .. } => $number,)* }
            }
        }
    };
}

impl Alarm {
    /// What the table says of it.
    pub fn row(self) -> &'static Row {
        &TABLE[usize::from(self.number()) - 1]
    }

    /// Code in reports.
    pub fn code(self) -> &'static str {
        self.row().code
    }
}

alarms! {
    /// An emergency-stop contact is tripped.
    Estop(u8) = 1 "estop" High WithCondition, 0 ms on, 0 ms off;
    text "{} 号急停动作" "Emergency stop {} tripped";
    cause "按下急停按钮或拉动拉绳开关" "Button pressed or pull-cord pulled";
    consequence "安全回路停线，本软件撤销全部摆出指令" "The safety circuit stops the line; every arm is withdrawn";
    action "排除危险，旋开急停，故障清除后在操作屏复位、启动" "Remove the danger, release the stop, then clear, reset and start at the panel";

    /// A node does not answer or is wrong.
    NodeDown(NodeId) = 2 "node_down" High WithCondition, 0 ms on, 5000 ms off;
    text "{} 通讯不通" "{} does not answer";
    cause "断电、断线、地址冲突或设备类型不符" "No power, broken cable, address clash or wrong device";
    consequence "摆轮：其格口停用；称重、复核：照常分拣；其他节点：本线暂停" "Diverter: its chutes are off; scale or re-scanner: sorting goes on; any other node: the line is held";
    action "检查电源、网线和地址，更换后确认" "Check power, cable and address; confirm a replacement";

    /// A node fell to its safe state.
    LeaseExpired(NodeId) = 3 "lease_expired" High WhenSeen, 0 ms on, 0 ms off;
    text "{} 通讯超时，已转安全状态" "{} lost its lease and went to its safe state";
    cause "主机或总线中断超过租约时间" "Host or bus silent for longer than the lease";
    consequence "该节点撤销摆出指令并停下所驱动的设备" "The node withdrew its arms and stopped what it drives";
    action "检查总线，确认后再启动" "Check the bus, then start again";

    /// Events of a node are lost.
    EventsLost(NodeId) = 4 "events_lost" Medium WhenSeen, 0 ms on, 0 ms off;
    text "{} 的事件有丢失，前后件待核实" "Events of {} were lost: neighbours are uncertain";
    cause "节点缓存溢出或重启" "The node's ring overflowed, or it restarted";
    consequence "该节点前后件转末端异常口" "Parcels near it go to the end of the line";
    action "到末端异常口核实，检查总线负荷" "Check the parcels at the end chute and the load of the bus";

    /// A parcel was fired and not confirmed.
    Unconfirmed(ParcelId) = 5 "unconfirmed" Medium WithCondition, 0 ms on, 0 ms off;
    text "件 {} 未确认落格，请到格口核实" "Parcel {} unconfirmed: look into the chute";
    cause "落格光电未见或被遮挡，摆轮打滑" "Landing eye dark, blocked or dirty; wheels slipped";
    consequence "该件不计入落格，需人工确认" "It does not count as landed until a person resolves it";
    action "到格口找到该件并登记" "Find it in the chute and resolve it";

    /// Tracking lost a parcel.
    Lost(ParcelId) = 6 "lost" Medium WithCondition, 0 ms on, 0 ms off;
    text "件 {} 跟踪丢失（待核实）" "Parcel {} lost by tracking: look for it";
    cause "被人取走、掉件或卡在两个光电之间" "Taken off, fallen, or stuck between two eyes";
    consequence "该件未落格，平账中单列" "It has not landed and stands apart in the tie-out";
    action "沿线查找，重新供件或登记人工取件" "Look along the belt; induct it again or resolve it";

    /// An eye saw something that nothing explains.
    Ghost(NodeId) = 7 "ghost" Low WhenSeen, 0 ms on, 0 ms off;
    text "{} 见到来历不明的信号" "{} saw something that nothing explains";
    cause "手伸入光电、放上未供件的物品、光电抖动" "A hand in the eye, something put on the belt, a bouncing eye";
    consequence "不改变任何件的去向" "Nobody's chute changes";
    action "提醒勿向分拣带放件；反复出现时清洁或调整光电" "Put nothing on the sorter belt; clean or adjust the eye when it repeats";

    /// A landing eye saw something that no firing explains.
    UnexpectedLanding(ChuteNo) = 8 "unexpected_landing" Low WhenSeen, 0 ms on, 0 ms off;
    text "{} 号格口有未预期的落格信号" "Chute {} saw a landing that no firing explains";
    cause "换袋时手遮光电，或有件误入" "A hand during a bag change, or a parcel that was not sent there";
    consequence "不计落格" "No landing is counted";
    action "查看格口内是否有不属于该格口的件" "Look for a parcel that does not belong there";

    /// The journal does not keep up; induction is paused.
    CommitsStalled = 9 "commits_stalled" High WithCondition, 0 ms on, 2000 ms off;
    text "记录落盘跟不上，供件已暂停" "The journal's disk does not keep up: induction paused";
    cause "磁盘慢、满或故障" "The disk is slow, full or broken";
    consequence "供件暂停，不再下达新的摆出指令" "Induction is paused and nothing new is armed";
    action "检查磁盘空间和状态" "Check the disk's space and state";

    /// End chute full.
    EndFull = 10 "end_full" High WithCondition, 0 ms on, 2000 ms off;
    text "末端异常口满，请清理" "End chute full: empty it";
    cause "末端异常件未及时取走" "Parcels at the end chute were not taken away";
    consequence "供件停止，下一件到末端前停带" "Induction stops; the belt stops before the next parcel reaches the end";
    action "清空末端异常口，再启动" "Empty the end chute, then start";

    /// A quarantined parcel had to go to the end.
    QuarantineAtEnd(ParcelId) = 11 "quarantine_at_end" High WhenSeen, 0 ms on, 0 ms off;
    text "管控件 {} 到了末端异常口，请立即取走" "Quarantined parcel {} went to the end chute: take it away now";
    cause "拦截管控口停用或来不及摆出" "The quarantine chute was off or could not be reached";
    consequence "管控件与异常件混放" "It lies among other exceptions";
    action "立即取出并放入管控区" "Take it out at once and lock it away";

    /// An input made the model panic twice and was set aside.
    InputQuarantined = 12 "input_quarantined" High WhenSeen, 0 ms on, 0 ms off;
    text "一条输入已隔离，全线件待核实" "An input was set aside: every parcel is uncertain";
    cause "软件缺陷" "A defect of the software";
    consequence "线上全部件转末端异常口" "Every parcel on the line goes to the end";
    action "导出事件包并联系维护人员" "Export the incident and call maintenance";

    /// A node's encoder and the belt's have lost pulses against each other.
    EncoderDrift(NodeId) = 13 "encoder_drift" Medium WhenSeen, 0 ms on, 0 ms off;
    text "{} 的编码器与皮带计数不一致（丢脉冲），已重新对准，请检查编码器" "The encoder of {} lost pulses against the belt; it was mapped anew, check it";
    cause "编码器打滑、松动或线缆接触不良" "Slipping or loose encoder, bad cable";
    consequence "误差超过容差的件转末端异常口" "Parcels beyond the tolerance go to the end of the line";
    action "检查编码器轮和接线" "Check the encoder's wheel and cable";

    /// The line did not run empty in time.
    NotEmpty = 14 "not_empty" Medium WhenSeen, 0 ms on, 0 ms off;
    text "清线超时，未能确认线体无件，已停线" "The line did not prove empty in time and was stopped";
    cause "线上有滞留件，或光电被遮挡" "Something lies on the belt, or an eye is blocked";
    consequence "未确认线体无件" "The line is not proven empty";
    action "沿线查看，取下滞留件，再复位、启动" "Walk along the belt, take off what lies there, then reset and start";

    /// More than ten alarms in ten minutes.
    Flood = 15 "alarm_flood" Medium WithCondition, 0 ms on, 0 ms off;
    text "报警泛滥：10 分钟内超过 10 条" "Alarm flood: more than 10 in 10 minutes";
    cause "一个故障引出许多报警" "One fault brings many alarms";
    consequence "低优先级报警被抑制显示" "Alarms of low priority are suppressed";
    action "先处理首发故障" "Deal with the first-out alarm first";

    /// 卡件: an eye stayed blocked while the belt ran.
    Jam(EyeId) = 16 "jam" High WithCondition, 0 ms on, 0 ms off;
    text "卡件：{}" "Jam at {}";
    cause "件卡在光电处，或光电被遮挡" "A parcel is stuck at the eye, or the eye is covered";
    consequence "本线暂停，不会自动重启" "The line is held and does not restart by itself";
    action "取下卡住的件并登记，确认光电通畅，再按启动" "Take the parcel off and resolve it, see that the eye is clear, then start";

    /// 堵件: an eye and the one before it stayed blocked while the belt ran.
    QueueJam(EyeId) = 17 "queue_jam" High WithCondition, 0 ms on, 0 ms off;
    text "堵件：{} 及其上游" "Queue jam at {} and upstream of it";
    cause "多件堵在一起" "Several parcels have run into each other";
    consequence "本线暂停，不会自动重启" "The line is held and does not restart by itself";
    action "从下游起逐件取下并登记，再按启动" "Take the parcels off from downstream on and resolve them, then start";

    /// Parcels in a row did not come to an eye, and no later eye saw them.
    ArrivalJam(EyeId) = 18 "arrival_jam" High WhenSeen, 0 ms on, 0 ms off;
    text "连续多件未到 {}" "Parcels in a row did not come to {}";
    cause "件卡在该光电之前，或光电失灵" "Parcels are stuck before the eye, or it has failed";
    consequence "本线暂停，不会自动重启" "The line is held and does not restart by itself";
    action "查看该光电上游，取下卡住的件并登记，再按启动" "Look upstream of the eye, take the parcels off and resolve them, then start";

    /// An eye is blocked while parcels pass it.
    EyeStuck(EyeId) = 19 "eye_stuck" Medium WithCondition, 0 ms on, 0 ms off;
    text "{} 一直被遮挡，但件仍通过" "{} stays blocked although parcels pass";
    cause "反光板脱落、镜头脏或光电故障" "Reflector off, dirty lens or a broken eye";
    consequence "该光电不再可信；摆轮到位光电：其格口停用" "The eye is not believed; an arrival eye: its chutes are off";
    action "清洁或更换光电，通畅后自动恢复" "Clean or replace the eye; it is believed again when it clears";

    /// An eye missed parcels in a row.
    EyeBlind(EyeId) = 20 "eye_blind" Medium WithCondition, 0 ms on, 0 ms off;
    text "{} 连续漏检" "{} misses one parcel after another";
    cause "光电断线、偏位或故障" "Broken cable, misaligned or broken eye";
    consequence "该光电不再可信；摆轮到位光电：其格口停用" "The eye is not believed; an arrival eye: its chutes are off";
    action "对准或更换光电，见到下一件后自动恢复" "Align or replace the eye; it is believed again with the next parcel that it sees";

    /// Pulses of an eye are shorter than its parcels.
    EyeDirty(EyeId) = 21 "eye_dirty" Low WithCondition, 0 ms on, 60000 ms off;
    text "{} 脉冲偏短，镜头可能脏" "Pulses of {} are short: the lens may be dirty";
    cause "镜头或反光板有灰" "Dust on lens or reflector";
    consequence "件因长度不符转末端异常口" "Parcels go to the end because their length does not fit";
    action "清洁镜头和反光板" "Clean lens and reflector";

    /// The sorter belt was told to run and its counts stand.
    EncoderStall(NodeId) = 22 "encoder_stall" High WhenSeen, 0 ms on, 0 ms off;
    text "皮带已启动但 {} 的编码器不动" "The belt was told to run and the counts of {} stand";
    cause "变频器故障、皮带打滑，编码器脱落或断线" "Drive fault, slipping belt, encoder off or its cable broken";
    consequence "无法跟踪，本线暂停" "Nothing can be tracked; the line is held";
    action "检查变频器、皮带和编码器，再按启动" "Check drive, belt and encoder, then start";

    /// The host's wall clock jumped.
    WallClockStepped = 23 "wall_clock_stepped" Low WhenSeen, 0 ms on, 0 ms off;
    text "系统时钟跳变，记录中的时刻有间断" "The wall clock jumped: times in records have a break";
    cause "人工改时或对时服务跳变" "Somebody set the clock, or time synchronisation stepped it";
    consequence "跟踪和摆出不受影响，日报和查询的时刻不连续" "Sorting goes on unchanged; times in reports are not continuous";
    action "检查对时服务和时区，确认后核对当班日报" "Check time synchronisation and zone, then the report of the shift";

    /// Something stands in a chute's mouth although the chute is not full.
    ChuteFaulted(ChuteNo) = 24 "chute_faulted" Medium WithCondition, 0 ms on, 3000 ms off;
    text "{} 号格口故障：滑槽堵件" "Chute {} faulted: something stands in its mouth";
    cause "件卡在滑槽口，或落格光电被遮挡" "A parcel is stuck in the mouth, or the landing eye is covered";
    consequence "该格口停用，其件改投同一路由的其他格口或到末端" "The chute is off; its parcels go to others of the same key or to the end";
    action "取下卡住的件，确认落格光电通畅" "Take the parcel out and see that the landing eye is clear";

    /// A chute has been full for long, and nobody has begun to change what catches its parcels.
    ChuteWaits(ChuteNo) = 25 "chute_waits" Medium WithCondition, 180000 ms on, 0 ms off;
    text "{} 号格口满格已久，请换袋" "Chute {} has been full for long: change its bag";
    cause "无人换袋，或满格光电被遮挡" "Nobody changes the bag, or the full eye is covered";
    consequence "该格口的件改投备用格口或到末端异常口" "Its parcels go to an alternate chute or to the end chute";
    action "换袋并解锁；袋未满则查看满格光电" "Change the bag and unlock; if it is not full, look at the full eye";

    /// A re-scan contradicts what the line believed of a parcel.
    RescanDiffers(NodeId) = 26 "rescan_differs" Medium WhenSeen, 0 ms on, 0 ms off;
    text "{} 复核单号不符" "{} read another code than the line expected";
    cause "跟踪错位、重复面单，或上游错分、漏分" "Tracking was off, two labels of one number, or a parcel that did not leave where it was sent";
    consequence "相关件转末端异常口，已计落格的需到格口核实" "The parcels concerned go to the end; one that counts as landed may not be in its chute";
    action "在件的记录中查看单号，到末端异常口和相应格口核实" "Look up the code in the parcels' stories; check the end chute and the chute named there";

    /// Parcels pass a re-scanner and it reads nothing.
    RescannerSilent(NodeId) = 27 "rescanner_silent" Low WithCondition, 0 ms on, 0 ms off;
    text "{} 复核读码器无读数" "{} re-scans nothing";
    cause "读码器或触发光电故障、断线、脏污" "Reader or trigger eye broken, unplugged or dirty";
    consequence "分拣照常，待核实件不再恢复，错分不再复核" "Sorting goes on; uncertain parcels are not restored and nothing is checked";
    action "检查读码器和触发光电，读到下一件后自动恢复" "Check reader and trigger eye; it is believed again with the next code";

    /// The return conveyor is full.
    ReturnFull = 28 "return_full" High WithCondition, 0 ms on, 2000 ms off;
    text "回流线满，请清理" "Return conveyor full: take parcels off";
    cause "回流件多于供件口能接的件，或供件停着" "More parcels come back than the infeed takes, or the infeed stands";
    consequence "新供件须让行；下一件到末端前停带" "Fresh parcels give way; the belt stops before the next parcel reaches the end";
    action "取下回流线上的件，查明其未落格的原因，再启动" "Take parcels off the return, find out why they do not land, then start";

    /// A parcel went round although no lap will bring it into its chute.
    RoundInVain = 29 "round_in_vain" Medium WhenSeen, 0 ms on, 0 ms off;
    text "异常件仍在回流，综合异常口或拦截管控口接不到" "Exceptions go round: their chute cannot be had";
    cause "综合异常口或拦截管控口满、锁定、停用，或摆出失败" "The exceptions or quarantine chute is full, locked or off, or its diverts fail";
    consequence "该件一直回流，占用线体" "These parcels go round and take room on the line";
    action "恢复该格口；否则在回流线上取下异常件" "Bring the chute back, or take the exceptions off the return by hand";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_whole() {
        let codes: BTreeSet<_> = TABLE.iter().map(|row| row.code).collect();
        assert_eq!(codes.len(), TABLE.len(), "codes are unique");
        for (row, number) in TABLE.iter().zip(1..) {
            assert_eq!(row.number, number, "numbers ascend without a gap");
            let words = [row.text, row.cause, row.consequence, row.action];
            for Words { zh, en } in words {
                assert!(!zh.is_empty() && !en.is_empty(), "{} lacks words", row.code);
                assert!(en.is_ascii(), "{}: {en:?} is not English", row.code);
            }
            let places = |text: &str| text.matches("{}").count();
            assert_eq!(places(row.text.zh), places(row.text.en), "{}", row.code);
            assert!(places(row.text.zh) <= 1, "{} names one thing", row.code);
        }
        // What tells of the past has no condition that could come and go.
        for row in TABLE.iter().filter(|row| row.ends == Ends::WhenSeen) {
            let delays = (row.on_delay, row.off_delay);
            assert_eq!(delays, (Micros::ZERO, Micros::ZERO), "{}", row.code);
        }
        // Whether arms may rely on an eye, and whether a start is allowed, stands in these alarms.
        for eye in [Alarm::EyeStuck, Alarm::EyeBlind, Alarm::Jam, Alarm::QueueJam] {
            let row = eye(EyeId(1)).row();
            let delays = (row.on_delay, row.off_delay);
            assert_eq!(delays, (Micros::ZERO, Micros::ZERO), "{}", row.code);
        }
        assert_eq!(Alarm::EndFull.code(), "end_full");
        assert_eq!(Alarm::NodeDown(NodeId(3)).row().priority, Priority::High);
    }
}
