import { expect, test } from 'vitest'
import { readable } from '../../../lib/model/state/readable.ts'

test('what cannot be read of a list keeps nothing else from being read, and is told at the end', () => {
  const decode = (text: string): number => {
    if (Number.isNaN(Number(text))) throw new Error(`${text} is no number`)
    return Number(text)
  }
  const seen: number[] = []
  expect(() => {
    for (const value of readable(['1', 'spoilt', '3', 'worse'], decode)) seen.push(value)
  }).toThrow('spoilt is no number')
  expect(seen).toEqual([1, 3])
})
