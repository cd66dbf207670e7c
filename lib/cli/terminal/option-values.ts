import { InvalidArgumentError } from 'commander'
import { isMarketName, MARKET_NAMES, type MarketName } from '../../model/market-name.ts'

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

export function positive(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

export function exitCode(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value < 256) return value
  throw new InvalidArgumentError('It must be an exit code, 1 to 255.')
}

export function port(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
  throw new InvalidArgumentError('It must be a port, 0 to 65535; 0 takes a free one.')
}

/** Names of markets with commas between them; `none`, or `usual` for those of the broker. */
export function markets(text: string): readonly MarketName[] | 'usual' {
  if (text === 'usual') return text
  return text === 'none' ? [] : marketNames(text)
}

/** At least one name of a market. */
export function marketNames(text: string): readonly MarketName[] {
  const names = text.split(',').map((name) => name.trim())
  const known = names.filter(isMarketName)
  if (known.length === names.length) return known
  const stranger = names.find((name) => !isMarketName(name)) ?? ''
  throw new InvalidArgumentError(
    `"${stranger.slice(0, 40)}" is no market. Allowed: ${MARKET_NAMES.join(', ')}.`,
  )
}
