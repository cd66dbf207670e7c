import type { YearTable } from './special-day.ts'

/** Before NSE's own list, which comes in December: closed is only what no calendar of the moon can move. */
export const NSE_2027 = {
  source: 'provisional: PyPI’s holidays 0.109 (XNSE); NSE has published no list yet',
  checked: '2026-11-27',
  closed: {
    '2027-01-26': 'Republic Day',
    '2027-03-26': 'Good Friday',
    '2027-04-14': 'Ambedkar Jayanti',
  },
  expected: {
    '2027-03-10': 'Id-ul-Fitr',
    '2027-03-22': 'Holi',
    '2027-04-15': 'Ram Navami',
    '2027-05-17': 'Bakri Id',
    '2027-06-16': 'Muharram',
  },
  sessions: {
    '2027-10-29': {
      why: 'Diwali Laxmi Pujan, Muhurat session',
      hours: { opens: '09:15', closes: '19:15' },
      timeOpen: true,
      provisional: true,
    },
  },
} as const satisfies YearTable
