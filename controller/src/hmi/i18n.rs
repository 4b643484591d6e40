//! Languages and the one table of words: zh-CN first, English second.
//!
//! `{}` in a text takes the next argument of [`Lang::fill`]. Both languages have the same number of
//! places, held by a test. Words of outcomes live beside their codes in `line_model::reason`.

/// Language of a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lang {
    /// Simplified Chinese, the default.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Every language.
    pub(super) const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// Value of the `lang` attribute.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// Value of `?lang=` and of the cookie.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The language with this code or tag.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let primary = text.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.code()))
    }

    /// The first of the languages that the browser accepts, in its order; quality values only
    /// reorder what browsers already sort.
    pub(super) fn from_accept(header: &str) -> Option<Self> {
        header.split(',').find_map(|item| Self::parse(item.split(';').next().unwrap_or_default()))
    }

    /// One of two texts.
    pub(super) const fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// The text with each `{}` replaced by the next argument.
    pub(super) fn fill(self, message: Msg, arguments: &[&str]) -> String {
        let mut text = String::new();
        let mut arguments = arguments.iter();
        for (index, part) in message.text(self).split("{}").enumerate() {
            if index > 0 {
                text.push_str(arguments.next().copied().unwrap_or_default());
            }
            text.push_str(part);
        }
        text
    }
}

macro_rules! messages {
    ($($name:ident $zh:literal $en:literal;)*) => {
        /// Everything that the screens say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Msg {
            $(#[doc = $en] $name,)*
        }

        impl Msg {
            /// Every message.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its text.
            pub(super) const fn text(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::Zh) => $zh, (Self::$name, Lang::En) => $en,)*
                }
            }
        }
    };
}

messages! {
    // Frame of every screen.
    Product "sortline 分拣线控制" "sortline line control";
    Overview "总览" "Overview";
    Parcels "件列表" "Parcels";
    OtherLanguage "English" "中文";
    Simulated "仿真线" "SIMULATED LINE";
    SkipToMain "跳到正文" "Skip to content";
    Navigation "导航" "Navigation";
    NotSafety "本软件只监视安全装置，不提供安全功能" "This software observes safety devices; it is not one";
    Scan "扫一扫" "Scan or search";
    ScanHint "运单号，或尾号 {} 位以上" "Waybill or last {}+ characters";
    Search "查找" "Find";
    // Live values.
    AgeSeconds "{} 秒前" "{} s ago";
    AgeNow "刚刚更新" "just now";
    Never "从未" "never";
    StaleController "数据停滞：控制器 {} 秒未更新" "Stale: no update from the controller for {} s";
    StaleLink "与控制器的连接中断 {} 秒，显示的是旧值" "Connection to the controller lost for {} s: old values shown";
    NoScript "本页需要 JavaScript 才能实时更新，以下是打开时的值" "Live values need JavaScript; these are the values at loading time";
    // PackML states.
    StateStopped "停止" "Stopped";
    StateResetting "复位中" "Resetting";
    StateIdle "待机" "Idle";
    StateStarting "启动预警" "Starting";
    StateExecute "运行中" "Execute";
    StateHeld "本线暂停" "Held";
    StateStopping "停止中" "Stopping";
    StateAborting "急停处理中" "Aborting";
    StateAborted "故障/急停停线" "Aborted";
    StateClearing "故障清除中" "Clearing";
    StateCompleting "清线中" "Completing";
    StateCompleted "清线完成" "Completed";
    StateHolding "本线暂停中" "Holding";
    StateUnholding "恢复预警" "Unholding";
    StateSuspending "转入等待上/下游" "Suspending";
    StateSuspended "等待上/下游" "Suspended";
    StateUnsuspending "唤醒预警" "Unsuspending";
    ModeProduction "生产" "Production";
    ModeMaintenance "检修" "Maintenance";
    ModeManual "手动/测试" "Manual";
    Since "自 {} 起" "since {}";
    LineState "线体状态" "Line state";
    InductionPaused "供件已暂停" "Induction paused";
    Plan "分拣方案" "Sort plan";
    PlanVersion "{} 第 {} 版" "{} version {}";
    PlanNone "未选方案" "No plan selected";
    // What it waits for.
    WaitsFor "还差什么" "Waiting for";
    NothingUnmet "条件齐备" "All conditions met";
    UnmetEstop "{} 号急停未复位" "Emergency stop {} not released";
    UnmetNode "{} 通讯不通" "{} does not answer";
    UnmetPlan "未选方案" "No sort plan selected";
    UnmetCommits "记录落盘跟不上，等待磁盘" "The journal's disk does not keep up";
    UnmetEndFull "末端异常口已满" "End chute full";
    UnmetReturnFull "回流线已满" "Return conveyor full";
    UnmetState "当前状态「{}」不接受此操作" "Not possible in state {}";
    UnmetNotOpen "件 {} 没有待核实的事项" "Parcel {} has nothing to resolve";
    UnmetNoSuchChute "没有 {} 号格口" "There is no chute {}";
    UnmetNotLocked "{} 号格口未锁格" "Chute {} is not locked";
    UnmetBagOpen "{} 号格口已绑袋，请先封袋" "A bag is bound at chute {}: close it first";
    UnmetOtherBag "此袋未绑在 {} 号格口" "This bag is not bound at chute {}";
    UnmetLabelBound "此包牌已绑在 {} 号格口" "This label is bound at chute {} already";
    UnmetNoCode "请扫描条码" "Scan a code";
    UnmetOnBelt "件 {} 还在线上" "Parcel {} is still on the line";
    UnmetGateClosed "件 {} 是管控件，只能进拦截管控口" "Parcel {} is quarantined: only the quarantine chute may have it";
    UnmetOtherKey "方案不允许此件进 {} 号格口" "The plan does not allow this parcel in chute {}";
    UnmetEye "{} 仍被遮挡" "{} is still blocked";
    SlowedDown "供件减速" "Induction slowed down";
    UnmetNoAlarm "报警列表中没有「{}」" "Not in the alarm list: {}";
    UnmetUrgent "高优先级报警不能搁置：{}" "An alarm of high priority is not shelved: {}";
    UnmetReason "请填写原因" "A reason is needed";
    UnmetShelfLong "搁置时间须在 1 到 60 分钟之间" "Shelve for 1 to 60 minutes";
    UnmetShelves "搁置的报警已达上限" "As many alarms as allowed are shelved";
    UnmetMode "当前为「{}」模式" "The mode is {}";
    // Why it stands, in one line: cause · place · what to do.
    StopReason "停线原因" "Why it stands";
    CauseStop "人工停止" "Stopped by a person";
    CauseHold "人工暂停" "Held by a person";
    CauseAbort "人工急停指令" "Aborted by a person";
    CauseReady "复位完成" "Reset done";
    CauseStopped "已停稳" "Standing still";
    CauseCleared "故障已清除" "Fault cleared";
    CauseEstop "急停" "Emergency stop";
    CauseNode "节点通讯不通" "Node does not answer";
    CauseLease "通讯超时，已转安全状态" "Lease lost, node went to its safe state";
    CauseAway "控制器中断过久" "Controller was away too long";
    CauseEndFull "末端异常口已满" "End chute full";
    CauseReturnFull "回流线已满" "Return conveyor full";
    CauseQuarantined "一条输入已隔离，全线件待核实" "An input was set aside; every parcel is uncertain";
    CauseEmpty "清线完成，线体无件" "Ran empty, proven";
    CauseNotEmpty "清线超时，未能确认线体无件" "Did not prove empty in time";
    CauseJam "卡件/堵件" "Jam";
    CauseArrivalJam "连续多件未到" "Parcels in a row did not arrive";
    CauseStall "皮带已启动但编码器不动" "The belt was told to run and its counts stand";
    CauseAsleep "长时间无件，分拣带休眠" "Nothing came for long: the sorter belt sleeps";
    CauseWoken "有件等待，正在唤醒" "A parcel waits: waking";
    PlaceLine "全线" "Whole line";
    PlaceController "控制器" "Controller";
    PlaceEnd "末端异常口" "End chute";
    PlaceReturn "回流线" "Return conveyor";
    EstopName "（{}，停 {}）" " ({}, stops {})";
    PlaceEstop "{} 号急停" "Emergency stop {}";
    ActReset "按复位，再按启动" "Press reset, then start";
    ActStart "按启动" "Press start";
    ActWait "请等待" "Wait";
    ActEstop "排除危险，旋开急停，故障清除后复位、启动" "Remove the danger, release the stop, clear, reset, start";
    ActNode "检查电源、网线和地址" "Check power, cable and address";
    ActAway "核对线上件，再复位、启动" "Check the parcels on the belt, then reset and start";
    ActEndFull "清空末端异常口" "Empty the end chute";
    ActReturnFull "取下回流线上的件，再按启动" "Take parcels off the return, then start";
    ActSleep "来件自动唤醒（先预警），或按启动" "It wakes with a warning when a parcel comes, or press start";
    ActNotEmpty "沿线查看，取下滞留件，再复位、启动" "Walk along the belt, take off what lies there, then reset and start";
    ActJam "取下卡住的件，确认光电通畅，再按启动" "Take the jammed parcels off, see that the eye is clear, then start";
    ActStall "检查皮带、变频器和编码器，再按启动" "Check belt, drive and encoder, then start";
    ActClear "按故障清除，再复位、启动" "Press clear, then reset and start";
    ActEngineer "联系维护人员，再复位、启动" "Call maintenance, then reset and start";
    // Commands.
    Commands "操作" "Commands";
    CommandReset "复位" "Reset";
    CommandClear "故障清除" "Clear";
    CommandStart "启动" "Start";
    CommandStop "立即停止" "Stop";
    CommandComplete "清线停机" "Run empty";
    CommandMode "切换模式" "Change the mode";
    CommandAcknowledge "确认报警" "Acknowledge";
    CommandShelve "搁置" "Shelve";
    CommandJog "点动" "Jog";
    JogHold "点动（按住运行，松开即停）" "Jog (hold to run, let go to stop)";
    JogWarning "{} 预警中" "{}: warning";
    JogRunning "{} 点动中" "{} is jogging";
    ShelfWhy "搁置原因" "Shelve because";
    ShelfFor "搁置时长" "for";
    ShelfMinutes "{} 分钟" "{} minutes";
    ShelfKnown "已知，正在处理" "Known, being dealt with";
    ShelfPart "等待备件或维修" "Waits for a part or a repair";
    ShelfFalse "传感器误报" "The sensor is wrong";
    ShelfTest "试验中" "A test is under way";
    ModePick "模式" "Mode";
    WhyModeStopped "停线后才能切换" "Only while the line is stopped";
    CommandUnshelve "取消搁置" "Unshelve";
    CommandHold "暂停" "Hold";
    StopWhy "停止/暂停原因" "Why stop or hold";
    ReasonUnsaid "未说明" "Not said";
    ReasonShift "换班或收班" "Change or end of shift";
    ReasonJam "处理卡件" "Clearing a jam";
    ReasonBag "换包" "Changing bags";
    ReasonUnsafe "安全隐患" "Something is unsafe";
    ReasonRepair "设备检修" "Repair";
    ReasonWait "等待上/下游" "Waiting for others";
    ReasonOther "其他" "Other";
    WhyNotPanel "此屏幕不是线边操作屏，只能停止" "This screen is not a panel of the line: it can only stop";
    WhyAlready "已经是「{}」" "Already {}";
    WhyResetFirst "请先复位" "Reset first";
    WhyClearFirst "请先故障清除" "Clear first";
    WhyStopFirst "运行中不能复位，请先停止" "Cannot reset while running: stop first";
    WhyNotRunning "线体不在运行中" "The line is not running";
    WhyConditions "条件未齐，见「还差什么」" "Conditions not met, see “Waiting for”";
    WhyWait "请等待「{}」结束" "Wait until {} is over";
    SayTaken "已执行：{}" "Done: {}";
    SayRefused "未执行：{}" "Refused: {}";
    SaySending "已发出：{}" "Sent: {}";
    SayNoAnswer "控制器没有应答，指令可能未执行" "No answer from the controller: the command may not have been taken";
    SayBusy "控制器忙，请再试" "The controller is busy: try again";
    SayOrigin "请求来源不符，已拒绝" "Refused: the request came from another site";
    SayBadCommand "不认识的操作" "Unknown command";
    SayBadReason "原因最多 {} 字，且只能一行" "A reason has at most {} characters in one line";
    // Figures.
    Throughput "分拣量" "Throughput";
    PerHour "件/小时" "parcels/h";
    LimitPerHour "几何上限 {} 件/小时" "geometric limit {}/h";
    Chutes "格口" "Chutes";
    ChuteRoleSort "分拣" "sort";
    ChuteRoleGeneral "综合异常" "exceptions";
    ChuteRoleQuarantine "拦截管控" "quarantine";
    ChuteOff "停用" "off";
    ChuteIdle "空闲" "idle";
    ChuteFilling "落格中" "filling";
    ChuteFullEye "满格" "full";
    ChuteFullCount "满格（件数）" "full (pieces)";
    ChuteFullWeight "满格（重量）" "full (weight)";
    ChuteFullBuffer "满格（缓存满）" "full (buffer)";
    ChuteLocked "锁格" "locked";
    ChuteLockedSwitch "锁格（开关）" "locked (switch)";
    ChuteLockedPerson "锁格（操作员）" "locked (person)";
    ChuteNoBag "未绑袋" "no bag bound";
    ChuteBuffered "缓存换袋 {} 件" "bag change, {} buffered";
    ChuteFaultDiverter "故障（摆轮离线）" "faulted (diverter off)";
    ChuteFaultPerson "停用（操作员）" "out of use";
    ChuteFaultJam "故障（卡件）" "faulted (jam)";
    LampSteady "可换袋" "ready for the bag change";
    LampBlink "还有件要落，请稍候" "parcels still come, wait";
    BagLabel "袋 {}" "bag {}";
    BagClosed "袋 {}（已封）" "bag {} (closed)";
    BagPieces "在格 {} 件" "{} in it";
    SayDeedTaken "已登记" "Done";
    SayBadDeed "无法识别的操作" "Not a known deed";
    ChuteName "{} 号格口" "Chute {}";
    EndReasons "异常原因" "Reasons";
    EndReasonsNone "尚无异常件" "Every parcel landed as planned";
    ReasonPlaces "末端 {} · 格口 {}" "end {} · chutes {}";
    ReasonRound "回流 {} · 格口 {}" "round {} · chutes {}";
    Missorted "错分登记" "Found in a wrong chute";
    MissortedAct "按登记的格口追查" "Trace it from the chute where it was found";
    Alarms "报警" "Alarms";
    AlarmsNone "无报警" "No alarms";
    Buses "总线与节点" "Buses and nodes";
    Node "节点" "Node";
    State "状态" "State";
    LastAnswer "最近应答" "Last answer";
    Exchanges "交互" "Exchanges";
    Timeouts "超时" "Time-outs";
    BadAnswers "错帧" "Bad";
    BusUp "接通" "up";
    BusDown "断开" "down";
    NodeUnknown "未查询" "not asked yet";
    NodeJoining "接入中" "joining";
    NodeOnline "在线" "online";
    NodeDegraded "在线，通信不稳" "online, answers badly";
    DownSilent "不应答" "silent";
    DownBus "总线断开" "bus down";
    DownMap "寄存器表版本不符（{}）" "wrong map version ({})";
    DownKind "设备类型不符（{}）" "wrong kind of device ({})";
    DownOwner "被另一台主机占用" "owned by another master";
    DownClash "地址冲突：两台设备应答同一地址（序列号 {} 与 {}）" "address clash: two devices answer at one address (serial numbers {} and {})";
    RecordsPending "待落盘记录" "Records waiting for the disk";
    Belt "线上件" "On the belt";
    BeltEnd "末端" "End";
    BeltInduct "供件" "Induction";
    BeltNone "线上无件" "No parcel on the belt";
    DecideIn "{} 秒内定格口" "chute to be decided within {} s";
    BeltLabel "分拣带示意图：线上 {} 件" "Sorter belt: {} parcels on it";
    // Tie-out.
    TieOut "平账" "Tie-out";
    TieInducted "上线" "Inducted";
    TieLanded "落格" "Landed";
    TieEnd "末端异常" "End chute";
    TieRound "回流" "Gone round";
    TieRemoved "人工取件" "Removed";
    TieUnconfirmed "未确认落格" "Unconfirmed";
    TieLost "跟踪丢失" "Lost tracking";
    TieOnLine "线上" "On line";
    TieOk "平" "ties out";
    TieBroken "不平" "does not tie out";
    TieAlternate "其中改投 {}" "alternate chute: {}";
    TieDistinct "不计回流 {} 件" "distinct parcels: {}";
    // Alarms: their words stand in the model's table; here is what goes around them.
    AlarmUnacknowledged "未确认" "unacknowledged";
    AlarmAcknowledged "已确认" "acknowledged";
    AlarmReturned "已恢复，未确认" "returned, unacknowledged";
    AlarmFirstOut "首发故障" "first-out";
    AlarmShelved "已搁置（{}：{}）" "shelved ({}: {})";
    AlarmSuppressed "设计抑制" "suppressed by design";
    AlarmsLately "10 分钟内 {} 条" "{} in 10 minutes";
    AlarmAct "处理：{}" "Do: {}";
    EyeTerminal "，端子 {}" ", terminal {}";
    // Parcels.
    Parcel "件" "Parcel";
    ParcelTitle "件 {}" "Parcel {}";
    Waybill "运单号" "Waybill";
    WaybillNone "无运单号" "No waybill";
    Outcome "结果" "Outcome";
    OutcomeAll "全部" "All";
    OutcomePlanned "按方案落格" "As planned";
    OutcomeAlternate "改投落格" "Alternate chute";
    OutcomeEnd "末端异常口" "End chute";
    OutcomeRound "回流" "Gone round";
    OutcomeRemoved "人工取件" "Removed";
    OutcomeLost "跟踪丢失（待核实）" "Lost tracking";
    OutcomeUnconfirmed "未确认落格" "Unconfirmed";
    OutcomeOnLine "线上" "On the line";
    Where "去向" "Where";
    Inducted "上线时间" "Inducted";
    LatestParcels "最近 {} 件" "Latest {} parcels";
    NoParcels "没有符合的件" "No parcel fits";
    Older "更早" "Older";
    Why "为什么到这里" "Why did it go there";
    Story "经过" "Story";
    Time "时间" "Time";
    Relative "相对" "Relative";
    Step "步骤" "Step";
    Record "记录号" "Record";
    StoryEmpty "日志中没有这一件的经过" "The journal has no steps of this parcel";
    ReadAt "读取于 {}" "read at {}";
    Refresh "刷新" "Refresh";
    Scanner "读码" "Scan";
    Rescanner "复核" "Re-scan";
    RescanNone "未复核" "not re-scanned";
    RescanCounts "复核相符 {} · 恢复 {} · 不符 {} · 未读 {}" "re-scanned: {} the same, {} restored, {} differ, {} unread";
    Scale "称重" "Scale";
    BackToList "返回件列表" "Back to the list";
    SearchNone "没有找到「{}」。请核对单号；未上线的件没有记录。" "Nothing found for “{}”. Check the number; a parcel that was never inducted has no record.";
    SearchShort "请输入运单号，或至少 {} 位尾号" "Enter a waybill, or at least its last {} characters";
    SearchMany "有 {} 件符合" "{} parcels fit";
    NotFound "没有这个页面" "No such page";
    NotFoundParcel "没有件 {}" "There is no parcel {}";
    JournalUnreadable "日志暂时读不到" "The journal cannot be read now";
    // Steps of a story.
    StepInducted "上线，件头经过供件光电" "Inducted: head at the induction eye";
    StepMeasured "测得长度 {} mm" "Length measured: {} mm";
    StepWeighed "称重 {} g" "Weighed: {} g";
    StepNotWeighed "称重无值" "No weight";
    StepIdentified "读到单号 {}" "Code read: {}";
    StepRescanConfirmed "复核单号相符 {}" "Re-scan: the same code {}";
    StepRescanFound "复核读到本件单号 {}，过下一光电后恢复" "Re-scan: its own code {}; sure again behind the next eye";
    StepRescanNamed "复核补读到单号 {}，过下一光电后分拣" "Re-scan: code {} read at last; sorted behind the next eye";
    StepRescanUnproven "复核读到单号 {}，不足以恢复" "Re-scan: code {}, which proves too little";
    StepRescanDiffers "复核单号不符：读到 {}" "Re-scan: another code, {}";
    StepRescanElsewhere "在别处复核到本件单号 {}" "Re-scan: its code {} was read elsewhere";
    StepSeen "经过 {}" "Seen at {}";
    StepRouted "查到预报：{}，路由 {}" "Manifest: {}, route {}";
    StepNoManifest "无预报" "Not in the manifest";
    StepAssigned "定格口 {} 号" "Chute {} decided";
    StepAssignedReason "定格口 {} 号（{}）" "Chute {} decided ({})";
    StepAlternateReason "改投 {} 号格口（{}）" "Alternate chute {} decided ({})";
    StepAlternate "改投 {} 号格口" "Alternate chute {} decided";
    StepBarFull "{} 号格口满格，另选" "Chute {} is full";
    StepBarLocked "{} 号格口锁格，另选" "Chute {} is locked";
    StepBarRate "{} 号格口限速，另选" "Rate limit of chute {}";
    StepBarLate "{} 号格口已来不及" "Too late for chute {}";
    StepBarOff "{} 号格口停用，另选" "Chute {} is off";
    BeliefOpen "归属待定" "not told apart yet";
    BeliefUncertain "待核实件" "uncertain";
    StepOpen "{} 处归属待定" "Whose the edge at {} is, is open";
    StepCertain "归属已确定" "Told apart: certain";
    StepUncertain "转为待核实件" "Uncertain from here on";
    StepToEnd "转末端异常口：{}" "Sent to the end chute: {}";
    StepArmed "已向 {} 下达摆出指令" "{} armed";
    StepFired "摆轮动作，去 {} 号格口" "Wheels fired towards chute {}";
    StepProvisional "{} 号格口落格信号，待下游光电确认" "Landing pulse at chute {}; the next eye decides";
    StepLanded "落格 {} 号，已确认" "Landed in chute {}, confirmed";
    StepEndLanded "到末端异常口：{}" "At the end chute: {}";
    StepToRound "将回流：{}" "Bound for the return: {}";
    StepRound "已回流，再次供件时为新的一件：{}" "Gone round, to be inducted as another one: {}";
    StepUnconfirmed "{} 号格口未确认落格" "Not confirmed in chute {}";
    StepLost "跟踪丢失（待核实）：{} 没有见到" "Lost tracking: {} did not see it";
    StepRemoved "人工处理：{}" "Resolved by a person: {}";
    EyeInduction "供件光电" "the induction eye";
    EyeTunnel "读码通道出口光电" "the tunnel exit eye";
    EyeArrival "{} 到位光电" "the arrival eye of {}";
    EyeEnd "末端光电" "the end eye";
    EyeOther "{} 号光电" "eye {}";
    // Why did it go there.
    WhyPlanned "{}（{}，路由 {}）按方案分到 {} 号格口，摆出后落格信号正常、下游光电未见，确认落格。" "{} ({}, route {}) was planned for chute {}; it was diverted, its landing was seen and the next eye stayed dark.";
    WhyException "{} 分到 {} 号格口并确认落格，原因：{}。" "{} was sent to chute {} and landed there: {}.";
    WhyAlternate "{} 首选格口不可用，改投 {} 号格口，已确认落格。" "{}: the first choice was not available, so it went to chute {}.";
    WhyEnd "{} 没有摆出，到了末端异常口，原因：{}。" "{} was not diverted and went to the end chute: {}.";
    WhyRound "{} 这一圈没有摆出，已回流，原因：{}。" "{} was not diverted on this lap and went round: {}.";
    WhyUnconfirmed "{} 已向 {} 号格口摆出，但没有足够证据确认落格，请到格口核实。" "{} was fired towards chute {}, but nothing proves that it landed: look into the chute.";
    WhyLost "{} 应到而未到，跟踪丢失（待核实）。" "{} was expected and not seen: lost by tracking.";
    WhyRemoved "{} 由人工取走或登记（{}）。" "{} was taken off or resolved by a person ({}).";
    WhyOnLineChute "{} 还在线上，将去 {} 号格口。" "{} is still on the line, bound for chute {}.";
    WhyOnLineEnd "{} 还在线上，将去末端异常口，原因：{}。" "{} is still on the line, bound for the end chute: {}.";
    WhyOnLineRound "{} 还在线上，将回流，原因：{}。" "{} is still on the line, bound for the return: {}.";
    WhyOnLine "{} 还在线上，格口未定。" "{} is still on the line; its chute is not decided.";
    Subject "运单 {}" "Waybill {}";
    SubjectNone "无单号的件 {}" "Parcel {} without a waybill";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_everything_with_the_same_places() {
        for message in Msg::ALL {
            let [zh, en] = Lang::ALL.map(|lang| message.text(lang));
            assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{message:?} is empty");
            let places = |text: &str| text.matches("{}").count();
            assert_eq!(places(zh), places(en), "{message:?} has other places in English");
            assert_eq!(places(zh), zh.matches('{').count(), "{message:?} has a named place");
            assert_eq!(places(en), en.matches('{').count(), "{message:?} has a named place");
            assert!(
                en.chars().all(|c| c.is_ascii() || "·“”中文".contains(c)),
                "{message:?} is not English"
            );
        }
    }

    #[test]
    fn the_browsers_order_decides() {
        assert_eq!(Lang::from_accept("en-GB,en;q=0.9,zh;q=0.8"), Some(Lang::En));
        assert_eq!(Lang::from_accept("fr, zh-TW;q=0.9, en"), Some(Lang::Zh));
        assert_eq!(Lang::from_accept("fr;q=1"), None);
        assert_eq!(Lang::parse("EN_us"), Some(Lang::En));
        assert_eq!(Lang::parse("english"), None);
    }

    #[test]
    fn missing_arguments_leave_no_braces() {
        assert_eq!(Lang::En.fill(Msg::PlanVersion, &["A"]), "A version ");
        assert_eq!(Lang::Zh.fill(Msg::UnmetEstop, &["3", "4"]), "3 号急停未复位");
    }
}
