import { InvalidArgumentError } from 'commander'

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
