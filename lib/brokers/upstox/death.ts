/** Every token dies here, whenever it was issued (sheet section 1, official). */
export const UPSTOX_DEATH = { kind: 'clock', at: '03:30', timeZone: 'Asia/Kolkata', day: 'first' } as const
