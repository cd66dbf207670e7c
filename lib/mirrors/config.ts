import * as z from 'zod'
import { isAccountId } from '../model/account-id.ts'

const Account = z.string().refine(isAccountId, {
  error: ({ input }) => `"${input}" is no account id such as fyers or upstox/ACC1`,
})

/** Two forms of a file: a variable among others, as programs load them from `.env`; or the access token and no more. */
const FileMirrorConfig = z
  .strictObject({
    /** Relative to the folder of cdk.json. */
    path: z.string().min(1, 'write a path'),
    format: z.enum(['dotenv', 'token']).default('dotenv'),
    /** Account ids; a broker alone means its default account. @default - every account */
    accounts: z.array(Account).min(1).optional(),
  })
  .refine(({ format, accounts }) => format === 'dotenv' || accounts?.length === 1, {
    path: ['accounts'],
    error: 'a file of the format "token" holds the token of one account: name it',
  })

const RedisMirrorConfig = z.strictObject({
  /** `rediss://host:6380/0`, with a user name where there is one and never a password. */
  url: z
    .url({ protocol: /^rediss?$/, error: 'write rediss://host:port, or redis:// to loopback' })
    .refine((url) => !URL.canParse(url) || new URL(url).password === '', {
      error: 'a password does not belong here; store it: tokenkeeper mirrors password',
    }),
  /**
   * Accounts whose keys also appear without the account in them, in place of the broker's default account; the first
   * of each broker counts.
   */
  defaultAccounts: z.array(Account).default([]),
})

/** Where published access tokens are copied to, for programs that look there. */
export const MirrorsConfig = z
  .strictObject({
    redis: RedisMirrorConfig.optional(),
    /** On the machine of the local backend only. */
    files: z.array(FileMirrorConfig).default([]),
  })
  .default({ files: [] })

export type FileMirrorSettings = z.output<typeof FileMirrorConfig>
export type RedisMirrorSettings = z.output<typeof RedisMirrorConfig>
