import type { YearTable } from './special-day.ts'

/** NSE and BSE: equity, derivatives of equity, currency. README, Where the days are from. */
export const NSE_2026 = {
  source: 'NSE’s circulars as exchange_calendars 4.13.2 (XBOM) and news have them',
  checked: '2026-11-27',
  closed: {
    '2026-01-15': 'Municipal elections in Maharashtra',
    '2026-01-26': 'Republic Day',
    '2026-03-03': 'Holi',
    '2026-03-26': 'Ram Navami',
    '2026-03-31': 'Mahavir Jayanti',
    '2026-04-03': 'Good Friday',
    '2026-04-14': 'Ambedkar Jayanti',
    '2026-05-01': 'Maharashtra Day',
    '2026-05-28': 'Bakri Id',
    '2026-06-26': 'Muharram',
    '2026-09-14': 'Ganesh Chaturthi',
    '2026-10-02': 'Gandhi Jayanti',
    '2026-10-20': 'Dussehra',
    '2026-11-10': 'Diwali Balipratipada',
    '2026-11-24': 'Guru Nanak Jayanti',
    '2026-12-25': 'Christmas',
  },
  sessions: {
    '2026-02-01': { why: 'Union Budget' },
    // In 2025 it was in the afternoon, in years before in the evening.
    '2026-11-08': {
      why: 'Diwali Laxmi Pujan, Muhurat session',
      hours: { opens: '09:15', closes: '19:15' },
      timeOpen: true,
    },
  },
} as const satisfies YearTable
