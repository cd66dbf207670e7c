import { isMarketName, MARKET_NAMES, type MarketName } from '../../model/market-name.ts'
import { UsageError } from '../terminal/usage-error.ts'

/** At least one name of a market, with commas between them. Throws UsageError. */
export function marketsNamed(text: string): readonly MarketName[] {
  const names = text.split(',').map((name) => name.trim())
  const known = names.filter(isMarketName)
  if (known.length === names.length) return known
  const stranger = names.find((name) => !isMarketName(name)) ?? ''
  throw new UsageError(`"${stranger.slice(0, 40)}" is no market`, `use ${MARKET_NAMES.join(', ')}`)
}

/** Those an account trades on; `none`, or `usual` for those of its broker, which is to name none. Throws UsageError. */
export function marketsOfAccount(text: string): readonly MarketName[] | undefined {
  if (text === 'usual') return undefined
  return text === 'none' ? [] : marketsNamed(text)
}
