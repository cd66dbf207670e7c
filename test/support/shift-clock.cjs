// Preloaded by the run of the suite on another day (vitest.later.config.ts): moves the host's clock by SHIFT_CLOCK_MS
// for whatever asks `Date`, and so for Temporal, in this process, its workers and its children.
//
// Not libfaketime: it would move OpenSSL's, SQLite's and the file system's times as well, but nothing here holds one of
// those against `Date`; and it wraps what Node and V8 wait with, must be installed on every developer's machine, and
// does not reach what is linked statically. A script that is required rather than imported, for Node runs such a one
// before anything else in every worker, too. Timers and performance.now() count from the machine's start and stay as
// they are; Node's HTTP servers go on to send the host's own date unless they are told another one.
const shift = Number(process.env.SHIFT_CLOCK_MS ?? 0)
const HostDate = Date
const hostNow = HostDate.now

HostDate.now = () => hostNow() + shift

// A proxy: what Node itself makes with the host's class, such as the time of a file, is still a Date.
globalThis.Date = new Proxy(HostDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [HostDate.now()] : given, newTarget),
  apply: () => new HostDate(HostDate.now()).toString(),
})
HostDate.prototype.constructor = globalThis.Date
