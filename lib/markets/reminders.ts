/**
 * When a person is reminded, in minutes before the open: with an hour left, and when it is nearly too late.
 */
export const REMIND_MINUTES_BEFORE_OPEN: readonly number[] = [60, 30]
