//! What can happen to a process's memory, leaking and healthy.

/// The shape that a series was drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Leaks at a constant rate, into the JavaScript heap.
    LeakHeap,
    /// The same into buffers.
    LeakExternal,
    /// The same into native memory.
    LeakNative,
    /// Flat at first; leaks from a deploy on.
    LeakFromDeploy,
    /// Leaks in steps: a job leaks each time it runs.
    LeakStaircase,
    /// Leaks per request, under traffic that comes and goes.
    LeakPerRequest,
    /// Leaks behind a warm-up.
    LeakAfterWarmUp,
    /// Leaks until the limit or a schedule restarts it, again and again.
    LeakRestarts,
    /// Rises towards a level, ever slower.
    Saturation,
    /// Rises steadily, then is full: a cache, late in the window.
    LatePlateau,
    /// A bounded cache that fills with the requests.
    CacheFill,
    /// Each deploy has its own level.
    DeploySteps,
    /// Traffic goes up and down, memory with it.
    TrafficWaves,
    /// Traffic grows over the window, memory with it; the traffic is known.
    RisingTraffic,
    /// Full collections come once in hours.
    RareCollections,
    /// Short peaks, some near the end.
    Spikes,
    /// A daily rhythm, over two days and more.
    Seasonal,
    /// Noise about a level.
    Flat,
    /// A start-up of minutes, then a level.
    WarmUp,
    /// Restarts at a schedule, with a warm-up each time.
    HealthyRestarts,
}

impl Family {
    /// The leaking ones.
    pub const LEAKS: [Self; 8] = [
        Self::LeakHeap,
        Self::LeakExternal,
        Self::LeakNative,
        Self::LeakFromDeploy,
        Self::LeakStaircase,
        Self::LeakPerRequest,
        Self::LeakAfterWarmUp,
        Self::LeakRestarts,
    ];

    /// The healthy ones.
    pub const HEALTHY: [Self; 12] = [
        Self::Saturation,
        Self::LatePlateau,
        Self::CacheFill,
        Self::DeploySteps,
        Self::TrafficWaves,
        Self::RisingTraffic,
        Self::RareCollections,
        Self::Spikes,
        Self::Seasonal,
        Self::Flat,
        Self::WarmUp,
        Self::HealthyRestarts,
    ];

    /// Whether memory is lost for good.
    pub fn leaks(self) -> bool {
        Self::LEAKS.contains(&self)
    }

    /// As the tables print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeakHeap => "constant, heap",
            Self::LeakExternal => "constant, buffers",
            Self::LeakNative => "constant, native",
            Self::LeakFromDeploy => "from a deploy on",
            Self::LeakStaircase => "staircase",
            Self::LeakPerRequest => "per request",
            Self::LeakAfterWarmUp => "after a warm-up",
            Self::LeakRestarts => "with restarts",
            Self::Saturation => "saturation",
            Self::LatePlateau => "late plateau",
            Self::CacheFill => "cache fill",
            Self::DeploySteps => "deploy steps",
            Self::TrafficWaves => "traffic waves",
            Self::RisingTraffic => "rising traffic",
            Self::RareCollections => "rare full GCs",
            Self::Spikes => "spikes",
            Self::Seasonal => "seasonality",
            Self::Flat => "flat noise",
            Self::WarmUp => "warm-up",
            Self::HealthyRestarts => "healthy restarts",
        }
    }
}
