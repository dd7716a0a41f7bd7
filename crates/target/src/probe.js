// What Leakline runs inside the target while it is attached. Nothing else of ours runs there.
//
// It adds no global, changes no function of the app, keeps no process alive (its timer is
// unref'd), and undoes everything when Leakline leaves or dies. Every callback catches its own
// errors: an exception of ours must never become the app's uncaughtException.
//
// The last expression is a function; Leakline calls it with `require` and these options:
//   opened      true when Leakline opened the inspector (then it must also be closed again)
//   silentTicks seconds without a sign of life from Leakline before it is taken for dead
(function (require, options) {
  'use strict';

  const v8 = require('v8');
  const fs = require('fs');
  const timers = require('timers');
  const inspector = require('inspector');
  const hooks = require('perf_hooks');
  const channels = require('diagnostics_channel');

  const TICK_MS = 1000;
  const MAJOR = hooks.constants.NODE_PERFORMANCE_GC_MAJOR;

  let requests = 0;
  let majorCount = 0;
  let minorCount = 0;
  let pauseMs = 0;
  let floor = null; // bytes of JS heap in use soon after the last major collection
  let silent = 0;
  let worstLateMs = 0;
  let expected = 0;
  let timer = null;
  let observer = null;
  let leaving = false;

  function onRequest() {
    requests += 1;
  }

  function onCollections(list) {
    try {
      for (const entry of list.getEntries()) {
        pauseMs += entry.duration;
        if (entry.detail.kind === MAJOR) {
          majorCount += 1;
          floor = v8.getHeapStatistics().used_heap_size;
        } else {
          minorCount += 1;
        }
      }
    } catch {
      // A missing figure is a gap in our data, no concern of the app.
    }
  }

  // Counts its own ticks instead of comparing clocks: while a snapshot blocks the event loop no
  // tick passes, so a pause of minutes is not taken for Leakline's death.
  function tick() {
    try {
      const now = hooks.performance.now();
      if (expected !== 0) worstLateMs = Math.max(worstLateMs, now - expected);
      expected = now + TICK_MS;
      silent += 1;
      if (silent >= options.silentTicks) {
        undo();
        closeWhenAlone(false);
      }
    } catch {
      // See above.
    }
  }

  function arm() {
    silent = 0;
    if (timer !== null || leaving) return;
    expected = 0;
    timer = timers.setInterval(tick, TICK_MS);
    timer.unref();
    try {
      observer = new hooks.PerformanceObserver(onCollections);
      observer.observe({ entryTypes: ['gc'] });
    } catch {
      observer = null;
    }
    try {
      if (channels.subscribe) channels.subscribe('http.server.request.start', onRequest);
      else channels.channel('http.server.request.start').subscribe(onRequest);
    } catch {
      // An old Node.js without this channel: requests stay uncounted.
    }
  }

  function undo() {
    if (timer !== null) timers.clearInterval(timer);
    timer = null;
    try {
      if (observer !== null) observer.disconnect();
      observer = null;
      if (channels.unsubscribe) channels.unsubscribe('http.server.request.start', onRequest);
      else channels.channel('http.server.request.start').unsubscribe(onRequest);
    } catch {
      // Nothing left to undo.
    }
  }

  // How many clients are connected to the inspector: sockets of its port in state ESTABLISHED.
  // null: cannot be seen (no /proc, or the permission model forbids reading it).
  function countClients(done) {
    const url = inspector.url();
    if (url === undefined) return done(-1);
    const port = Number(/:(\d+)\//.exec(url)[1]);
    const wanted = ':' + port.toString(16).toUpperCase().padStart(4, '0');
    fs.readFile('/proc/self/net/tcp', 'latin1', (error, four) => {
      try {
        if (error) return done(null);
        fs.readFile('/proc/self/net/tcp6', 'latin1', (_missing, six) => {
          try {
            let count = 0;
            for (const line of (four + '\n' + (six || '')).split('\n')) {
              const field = line.trim().split(/\s+/);
              if (field.length > 3 && field[3] === '01' && field[1].endsWith(wanted)) count += 1;
            }
            done(count);
          } catch {
            // See above.
          }
        });
      } catch {
        // See above.
      }
    });
  }

  // inspector.close() blocks the event loop until every client has answered the closing
  // handshake; a client that hangs would stall the service for ever. So it is called only when
  // nobody is connected, and again later otherwise. `alone` is Leakline's word, from outside, that
  // nobody else is connected, for when that cannot be seen from in here.
  function closeWhenAlone(alone) {
    if (!options.opened || leaving) return;
    leaving = true;
    let wait = 50;
    const attempt = () => {
      try {
        countClients((count) => {
          if (count === -1) return;
          if (count === 0 || (count === null && alone)) inspector.close();
          else if (count !== null) later();
        });
      } catch {
        // See above.
      }
    };
    const later = () => {
      timers.setTimeout(attempt, wait).unref();
      wait = Math.min(wait * 2, 1000);
    };
    // Not at once: the reply to the request that asked for it must still go out.
    if (alone) wait = 200;
    later();
  }

  const probe = {
    version: process.version,
    // A sign of life.
    beat() {
      arm();
      return true;
    },
    // All cheap figures at once.
    sample() {
      arm();
      const memory = process.memoryUsage();
      const heap = v8.getHeapStatistics();
      const loop = hooks.performance.eventLoopUtilization
        ? hooks.performance.eventLoopUtilization()
        : { idle: 0, active: 0 };
      const late = worstLateMs;
      worstLateMs = 0;
      return {
        rss: memory.rss,
        heapTotal: memory.heapTotal,
        heapUsed: memory.heapUsed,
        external: memory.external,
        arrayBuffers: memory.arrayBuffers || 0,
        heapLimit: heap.heap_size_limit,
        malloced: heap.malloced_memory,
        detachedContexts: heap.number_of_detached_contexts,
        nativeContexts: heap.number_of_native_contexts,
        requests,
        majorCount,
        minorCount,
        pauseMs,
        floor,
        loopIdleMs: loop.idle,
        loopActiveMs: loop.active,
        loopLateMs: late,
        uptime: process.uptime(),
      };
    },
    // How many listeners `process` has, by event: the emitter that most leaks of listeners hang on.
    listeners() {
      arm();
      const counts = [];
      for (const name of process.eventNames().slice(0, 100)) {
        counts.push([String(name), process.listenerCount(name)]);
      }
      return counts;
    },
    // V8's spaces; a little dearer, so on demand.
    spaces() {
      arm();
      return v8.getHeapSpaceStatistics().map((space) => ({
        name: space.space_name,
        size: space.space_size,
        used: space.space_used_size,
        available: space.space_available_size,
        physical: space.physical_space_size,
      }));
    },
    // Leakline goes: undo everything; close the inspector if Leakline opened it.
    leave(alone) {
      undo();
      closeWhenAlone(alone);
      leaving = true;
      return true;
    },
  };
  arm();
  return probe;
})
