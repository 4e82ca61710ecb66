//! The common collectors: what they tell, and how a configuration chooses among them.

use std::fs;
use std::time::Duration;

use bellwether_core::config::Loader;
use bellwether_core::{
    Collect, CollectError, Descriptor, Labels, SampleSink, SpreadSnapshot, SummarySnapshot, Supervisor,
};
use bellwether_metrics::collectors::{
    AllocatorCollector, AllocatorStats, CgroupCollector, CollectorSwitch, Collectors, CollectorsConfig,
    CollectorsError, Feeds, MemoryMonitor, PoolCollector, PoolStats, ProcessCollector, RuntimeCollector,
    SystemCollector,
};
use bellwether_metrics::{Sampler, Unit};

use crate::desk::{Desk, selector};
use crate::parser::parse;

/// Takes what a collector tells, and looks that it keeps its word.
#[derive(Default)]
struct Told(Vec<(String, f64)>);

impl Told {
    fn by(collector: &impl Collect) -> Result<Self, CollectError> {
        let mut told = Self::default();
        collector.collect(&mut told)?;
        Ok(told)
    }

    fn of(&self, series: &str) -> Option<f64> {
        self.0.iter().find(|(name, _)| name == series).map(|(_, value)| *value)
    }

    fn put(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        assert!(value.is_finite() && value >= 0.0, "{} is {value}", descriptor.name);
        let unit = descriptor.unit.as_str();
        let base = descriptor.name.as_str().trim_end_matches("_total");
        assert!(base.ends_with(unit), "{base} has the unit {unit}");
        self.0.push((format!("{}{labels}", descriptor.name), value));
    }
}

impl SampleSink for Told {
    fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64) {
        self.put(descriptor, labels, total);
    }
    fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        self.put(descriptor, labels, value);
    }
    fn histogram(&mut self, descriptor: &Descriptor, labels: &Labels, spread: &SpreadSnapshot) {
        self.put(descriptor, labels, spread.count() as f64);
    }
    fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot) {
        self.put(descriptor, labels, summary.count as f64);
    }
}

#[test]
fn the_process_tells_what_it_uses() {
    let process = ProcessCollector::new().unwrap();
    let told = Told::by(&process).unwrap();
    assert!(told.of("process_resident_memory_bytes") > Some(1e6), "{:?}", told.0);
    assert!(told.of("process_virtual_memory_bytes") >= told.of("process_resident_memory_bytes"));
    assert!(told.of("process_start_time_seconds") > Some(1.6e9));
    assert!(told.of("process_cpu_seconds_total").is_some());
    if cfg!(target_os = "linux") {
        assert!(
            told.of("process_open_fds") >= Some(3.0) && told.of("process_threads") >= Some(1.0),
            "{:?}",
            told.0
        );
        assert!(told.of("process_max_fds") >= told.of("process_open_fds"));
        let threads = |told: &Told| told.of("process_threads").unwrap();
        let (open, wait) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let (up, is_up) = std::sync::mpsc::channel();
            scope.spawn(move || {
                up.send(()).unwrap();
                let _ = wait.recv();
            });
            is_up.recv().unwrap();
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
            let listed: f64 = line.trim().parse().unwrap();
            let more = Told::by(&process).unwrap();
            // Other tests start and end threads beside this one.
            assert!((threads(&more) - listed).abs() <= 8.0, "{} and {listed}", threads(&more));
            drop(open);
        });
    }
}

#[test]
fn the_machine_tells_what_it_has() {
    let system = SystemCollector::new().unwrap();
    let first = Told::by(&system).unwrap();
    assert_eq!(first.of("system_cpu_usage_ratio"), None, "nothing to compare with yet");
    let told = Told::by(&system).unwrap();
    assert!(told.of("system_cpu_usage_ratio") <= Some(1.001), "{:?}", told.0);
    assert!(told.of("system_cpus") >= Some(1.0));
    assert!(told.of("system_memory_total_bytes") > told.of("system_memory_available_bytes"));
    assert!(told.of("system_uptime_seconds") > Some(0.0));
    if cfg!(target_os = "linux") {
        assert!(told.of("system_load_average{period=\"5m\"}").is_some());
        assert!(told.of("system_network_received_bytes_total{interface=\"lo\"}").is_some());
    }
    let mut names: Vec<_> = told.0.iter().map(|(name, _)| name).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "no series twice: {names:?}");
}

#[test]
fn limits_of_a_control_group_of_version_2_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("memory.max", "536870912\n");
    write("memory.current", "1048576\n");
    write("cpu.max", "150000 100000\n");
    write("cpu.stat", "usage_usec 100\nnr_periods 9\nnr_throttled 4\nthrottled_usec 2500000\n");
    let told = Told::by(&CgroupCollector::at(folder.path())).unwrap();
    assert_eq!(
        told.0,
        [
            ("system_cgroup_memory_limit_bytes".to_owned(), 536_870_912.0),
            ("system_cgroup_memory_usage_bytes".to_owned(), 1_048_576.0),
            ("system_cgroup_cpu_limit_cores".to_owned(), 1.5),
            ("system_cgroup_cpu_throttled_periods_total".to_owned(), 4.0),
            ("system_cgroup_cpu_throttled_seconds_total".to_owned(), 2.5),
        ]
    );
    write("memory.max", "max\n");
    write("cpu.max", "max 100000\n");
    let told = Told::by(&CgroupCollector::at(folder.path())).unwrap();
    assert_eq!(told.of("system_cgroup_memory_limit_bytes"), None, "no limit is no number");
    assert_eq!(told.of("system_cgroup_cpu_limit_cores"), None);
}

#[test]
fn limits_of_a_control_group_of_version_1_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["memory", "cpu"] {
        fs::create_dir(folder.path().join(part)).unwrap();
    }
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("memory/memory.usage_in_bytes", "4096\n");
    write("cpu/cpu.cfs_quota_us", "-1\n");
    write("cpu/cpu.cfs_period_us", "100000\n");
    write("cpu/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n");
    let told = Told::by(&CgroupCollector::at(folder.path())).unwrap();
    assert_eq!(told.of("system_cgroup_memory_limit_bytes"), None);
    assert_eq!(told.of("system_cgroup_cpu_limit_cores"), None);
    assert_eq!(told.of("system_cgroup_memory_usage_bytes"), Some(4_096.0));
    assert_eq!(told.of("system_cgroup_cpu_throttled_seconds_total"), Some(1.5));
    write("memory/memory.limit_in_bytes", "8192\n");
    write("cpu/cpu.cfs_quota_us", "50000\n");
    let told = Told::by(&CgroupCollector::at(folder.path())).unwrap();
    assert_eq!(told.of("system_cgroup_memory_limit_bytes"), Some(8_192.0));
    assert_eq!(told.of("system_cgroup_cpu_limit_cores"), Some(0.5));
}

#[test]
fn where_there_is_no_control_group_or_it_is_damaged_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Told::by(&CgroupCollector::at(folder.path().join("none"))).unwrap().0.is_empty());
    for (file, text) in [
        ("memory.max", "lots"),
        ("memory.current", ""),
        ("cpu.max", "1 0"),
        ("cpu.stat", "nr_throttled x\nthrottled_usec"),
    ] {
        fs::write(folder.path().join(file), text).unwrap();
    }
    assert!(Told::by(&CgroupCollector::at(folder.path())).unwrap().0.is_empty());
}

#[tokio::test]
async fn the_runtime_tells_its_workers_and_tasks() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    tasks.spawn_once("waits", |stop| async move { stop.requested().await }).unwrap();
    let told = Told::by(&RuntimeCollector::new(tokio::runtime::Handle::current())).unwrap();
    assert_eq!(told.of("tokio_workers"), Some(1.0));
    assert_eq!(told.of("tokio_alive_tasks"), Some(1.0));
    assert!(told.of("tokio_global_queue_depth").is_some());
    assert!(told.of("tokio_worker_busy_seconds_total{worker=\"0\"}").is_some());
}

#[test]
fn what_pool_and_allocator_do_not_know_is_left_out() {
    let stats = PoolStats { size: 5, idle: 2, timeouts: Some(3), ..PoolStats::default() };
    let told = Told::by(&PoolCollector::new("store", move || stats).unwrap()).unwrap();
    assert_eq!(
        told.0,
        [
            ("database_pool_connections{pool=\"store\",state=\"idle\"}".to_owned(), 2.0),
            ("database_pool_connections{pool=\"store\",state=\"in_use\"}".to_owned(), 3.0),
            ("database_pool_timeouts_total{pool=\"store\"}".to_owned(), 3.0),
        ]
    );
    let stats = AllocatorStats { resident: Some(7), ..AllocatorStats::default() };
    let told = Told::by(&AllocatorCollector::new(move || stats)).unwrap();
    assert_eq!(told.0, [("allocator_resident_bytes".to_owned(), 7.0)]);
    assert!(PoolCollector::new(&"x".repeat(5_000), PoolStats::default).is_err());
}

#[test]
fn the_trend_of_memory_is_the_slope_of_its_samples() {
    let desk = Desk::new();
    let monitor = MemoryMonitor::new(&desk.metrics, Duration::from_mins(1)).watch("book", || 12).unwrap();
    desk.collect(monitor).unwrap();
    let resident = desk.gauge("process_resident_memory_bytes", Unit::Bytes, "Memory.").unwrap();
    let trend =
        || desk.value(&selector("process_resident_memory_trend_bytes_per_second")).and_then(|v| v.as_f64());
    for second in 0..9 {
        resident.set(1e6 + 500.0 * f64::from(second));
        desk.sample();
        desk.advance(1);
    }
    assert_eq!(trend(), None, "nine samples tell of noise");
    for second in 9..100 {
        resident.set(1e6 + 500.0 * f64::from(second));
        desk.sample();
        desk.advance(1);
    }
    assert!((trend().unwrap() - 500.0).abs() < 1e-6, "{:?}", trend());
    assert!(desk.text().contains("memory_collection_items{collection=\"book\"} 12\n"));
}

#[tokio::test]
async fn a_configuration_builds_the_common_set_each_on_its_interval() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    let text =
        "system.enabled = false\nfeeds.interval = \"1s\"\nmemory = { enabled = true, interval = \"1m\" }\n";
    let config = Loader::text("desk.toml", text).load::<CollectorsConfig>().unwrap();
    assert_eq!(config.feeds, CollectorSwitch::every(Duration::from_secs(1)));
    let feeds = Feeds::new(desk.metrics.clock());
    feeds.feed("ticks").unwrap().tick(1, desk.now());
    Collectors::from_config(&config)
        .feeds(&feeds)
        .allocator(|| AllocatorStats { allocated: Some(1), ..AllocatorStats::default() })
        .database_pool("store", PoolStats::default)
        .database_pool("archive", PoolStats::default)
        .watch("orders", || 3)
        .register(&desk.metrics)
        .unwrap();
    let _sampler = Sampler::start(&desk.metrics, &tasks.tasks(), Duration::from_secs(1)).unwrap();
    let expected = [
        "allocator_allocated_bytes",
        "database_pool_connections",
        "feed_ticks_total",
        "memory_collection_items",
        "process_resident_memory_bytes",
        "tokio_workers",
    ];
    let page = 'told: {
        for _ in 0..100_000 {
            tokio::task::yield_now().await;
            let page = parse(&desk.text());
            let told = |name: &&str| page.families.iter().any(|family| family.name == **name);
            if expected.iter().all(told) {
                break 'told page;
            }
        }
        panic!("not all were told: {}", desk.text());
    };
    assert_eq!(page.family("database_pool_connections").lines.len(), 4);
    assert!(!page.families.iter().any(|family| family.name.starts_with("system_cpu")), "switched off");
    let refused: f64 =
        ["undeclared", "repeated", "not_finite"].iter().map(|reason| desk.refused(reason)).sum();
    assert_eq!(refused, 0.0);
}

#[test]
fn everything_that_is_wrong_with_the_section_is_told_at_once_with_its_path() {
    let text = "memory_window = \"5s\"\nprocess.enabled = false\n[system]\ninterval = \"0s\"\n[feeds]\ninterval = \"2d\"\n";
    let error = Loader::text("desk.toml", text).load::<CollectorsConfig>().unwrap_err().to_string();
    for expected in [
        "memory_window: 5s is outside of [1m, 1d]",
        "memory.enabled: needs the memory of the process: enable `process`, too",
        "system.interval: 0s is outside of [1ms, 1d]",
        "feeds.interval: 2d is outside of [1ms, 1d]",
    ] {
        assert!(error.contains(expected), "{error}");
    }
    let unknown = Loader::text("desk.toml", "[system]\nevery = \"1s\"\n").load::<CollectorsConfig>();
    assert!(unknown.unwrap_err().to_string().contains("system.every"));
}

#[test]
fn the_runtime_cannot_be_told_from_where_there_is_none() {
    let desk = Desk::new();
    let mut config = CollectorsConfig::default();
    assert_eq!(Collectors::from_config(&config).register(&desk.metrics), Err(CollectorsError::NoRuntime));
    let desk = Desk::new();
    config.runtime = CollectorSwitch::off();
    assert_eq!(Collectors::from_config(&config).register(&desk.metrics), Ok(()));
}
