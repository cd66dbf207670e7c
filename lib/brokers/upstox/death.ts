/** The time at which every token dies, whenever it was issued (README, Expiry). */
export const UPSTOX_DEATH = { kind: 'clock', at: '03:30', timeZone: 'Asia/Kolkata', day: 'first' } as const
