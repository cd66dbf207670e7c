import { readMirrorFile, rewrite } from '../files/private-file.ts'
import { type AccountId, brokerOf, nameOf } from '../model/account-id.ts'
import { ConfigurationError, SubscriberError } from '../model/errors.ts'
import type { Secret } from '../model/secrets/secret.ts'
import type { Subscriber } from '../ports/subscriber.ts'
import type { FileMirrorSettings } from './config.ts'
import { quoted, variablesIn, withoutVariables, withVariables } from './dotenv-lines.ts'
import type { MirroredKey } from './mirrored-key.ts'

/**
 * A file that holds the access tokens of its accounts, for programs that read a `.env`, or the token of one account
 * and no more. Everything else in a dotenv file stays as it is, byte for byte. `path` is absolute. Throws
 * ConfigurationError when two of its accounts would have the same variable.
 */
export function fileMirror({ path, format, accounts }: FileMirrorSettings): Subscriber {
  if (format === 'dotenv') assertApart(accounts ?? [])
  const isMine = (account: AccountId): boolean => accounts === undefined || accounts.includes(account)
  const put = async (account: AccountId, token: Secret): Promise<void> => {
    if (!isMine(account)) return
    rewrite(path, (text = '') =>
      format === 'token'
        ? `${token.reveal()}\n`
        : withVariables(text, valuesOf(variablesOf(account, accounts), token)),
    )
  }
  return {
    name: `file mirror ${path}`,
    onPublished: ({ account, accessToken }) => put(account, accessToken),
    onStillCurrent: ({ account, accessToken }) => put(account, accessToken),
    async onWithdrawn(account) {
      if (!isMine(account)) return
      rewrite(path, (text) =>
        text === undefined || format === 'token'
          ? undefined
          : withoutVariables(text, new Set(variablesOf(account, accounts))),
      )
    },
  }
}

/**
 * What the file holds of these accounts, without a token: a variable of each, or the file itself. Changes nothing.
 * Throws SubscriberError.
 */
export function inspectFile(
  { path, format, accounts: mine }: FileMirrorSettings,
  accounts: readonly AccountId[],
): readonly MirroredKey[] {
  const text = readMirrorFile(path)
  const there = variablesIn(text ?? '')
  return accounts
    .filter((account) => mine === undefined || mine.includes(account))
    .flatMap((account) =>
      format === 'token'
        ? // Where it cannot be removed, an empty one is none.
          [{ account, key: path, there: text !== undefined && text !== '' }]
        : variablesOf(account, mine).map((key) => ({ account, key, there: there.has(key) })),
    )
}

/**
 * The variables of an account: `FYERS_ACCESS_TOKEN` of a broker's default account, `UPSTOX_ACC1_ACCESS_TOKEN` of one
 * with a name, in capitals and with `_` for whatever is neither letter nor digit. The only account of its broker among
 * those a file is for has the short one, too.
 */
function variablesOf(account: AccountId, accounts: readonly AccountId[] = []): readonly string[] {
  const broker = brokerOf(account)
  const name = nameOf(account)
  const short = variable(broker)
  if (name === undefined) return [short]
  const siblings = accounts.filter((one) => brokerOf(one) === broker)
  return [variable(`${broker}_${name}`), ...(siblings.length === 1 ? [short] : [])]
}

function variable(name: string): string {
  return `${name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}_ACCESS_TOKEN`
}

function valuesOf(names: readonly string[], token: Secret): ReadonlyMap<string, string> {
  const value = quoted(token.reveal())
  if (value === undefined) {
    throw new SubscriberError('this token holds quotes that a dotenv file cannot', {
      fix: 'use the format "token" for this account, or leave it out of mirrors.files',
    })
  }
  return new Map(names.map((name) => [name, value]))
}

function assertApart(accounts: readonly AccountId[]): void {
  const owners = new Map<string, string>()
  for (const account of accounts) {
    for (const name of variablesOf(account, accounts)) {
      const other = owners.get(name)
      if (other !== undefined) {
        throw new ConfigurationError(`${other} and ${account} would both be ${name} in one file`, {
          fix: 'give each a file of its own in mirrors.files',
        })
      }
      owners.set(name, account)
    }
  }
}
