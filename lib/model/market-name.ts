/** The markets whose days and hours are known, as an owner names them: by country, then by what is traded. */
export const MARKET_NAMES = [
  'in-equity',
  'in-fno',
  'in-currency',
  'in-mcx',
  'in-mcx-cotton',
  'in-mcx-agri',
  'us-equity',
  'gb-equity',
] as const

export type MarketName = (typeof MARKET_NAMES)[number]

export function isMarketName(name: string): name is MarketName {
  return (MARKET_NAMES as readonly string[]).includes(name)
}
