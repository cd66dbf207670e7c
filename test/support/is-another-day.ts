// A run on another day that happens today would show nothing: every test file begins with this. What
// performance.timeOrigin counts from is the host's own clock, which nothing moves.
const hostNow = performance.timeOrigin + performance.now()
const DAY_MS = 24 * 60 * 60 * 1_000
if (Date.now() - hostNow < 365 * DAY_MS) throw new Error('the clock of this run is not a year ahead')
