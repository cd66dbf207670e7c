import type { MarketDays } from '../model/market-days.ts'

/** What the owner of an installation says of single days while it runs: an election is announced three days ahead. */
export interface MarketDaysStore {
  /** As it is stored, unchecked; `undefined` where nothing is. Throws StateStoreError. */
  read(): Promise<StoredMarketDays | undefined>
  /** Writes if the stored revision is still `before` (0 where nothing is stored); else `false`. Throws StateStoreError. */
  replace(days: MarketDays, before: number): Promise<boolean>
}

interface StoredMarketDays {
  readonly days: unknown
  readonly revision: number
}
