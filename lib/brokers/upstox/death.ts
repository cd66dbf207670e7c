/** Every token dies here, whenever it was issued (README, Expiry). */
export const UPSTOX_DEATH = { kind: 'clock', at: '03:30', timeZone: 'Asia/Kolkata', day: 'first' } as const
