import { confirm, isCancel, note, password, text } from '@clack/prompts'
import { Cancelled } from './cancelled.ts'

/** A text to read before the questions, in a frame. */
export function showFirst(title: string, sentence: string): void {
  note(sentence, title)
}

type Check = (value: string) => string | undefined

/** Asks without showing what is typed, not even its length as it grows in the scrollback. Throws Cancelled. */
export async function askHidden(message: string, check: Check = () => undefined): Promise<string> {
  return typed(await password({ message, validate: (value) => check(value ?? ''), clearOnError: true }))
}

/** Asks for something that may be seen; `initial` can be kept with Enter. Throws Cancelled. */
export async function ask(message: string, initial: string, check: Check = () => undefined): Promise<string> {
  return typed(await text({ message, initialValue: initial, validate: (value) => check(value ?? '') }))
}

/** Throws Cancelled. */
export async function agree(message: string, initialValue: boolean): Promise<boolean> {
  const answer = await confirm({ message, initialValue })
  if (isCancel(answer)) throw new Cancelled()
  return answer === true
}

/** Enter on an empty line gives nothing rather than an empty text. */
function typed(answer: string | symbol | undefined): string {
  if (isCancel(answer)) throw new Cancelled()
  return typeof answer === 'string' ? answer : ''
}
