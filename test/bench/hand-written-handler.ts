// What a trader would write in an afternoon: the yardstick of the benchmark, and of everything it lacks (no
// proof, no lease, no record, no alert, no second account at once).
import { createHash } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { GetParametersCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'

const ssm = new SSMClient({})
// Made and not used: the cold start is compared with the same clients on both sides.
export const table = new DynamoDBClient({})

export async function handler(event: { accounts?: string[] }): Promise<{ refreshed: number }> {
  for (const account of event.accounts ?? ['fyers']) {
    const path = `${process.env['TOKENKEEPER_PREFIX']}/${account}`
    const names = ['client_id', 'client_secret', 'refresh_token', 'pin'].map((name) => `${path}/${name}`)
    const { Parameters = [] } = await ssm.send(
      new GetParametersCommand({ Names: names, WithDecryption: true }),
    )
    const value = (name: string): string =>
      Parameters.find(({ Name }) => Name === `${path}/${name}`)?.Value ?? ''
    const reply = await fetch(`${process.env['TOKENKEEPER_HOST_FYERS_API']}/api/v3/validate-refresh-token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        grant_type: 'refresh_token',
        appIdHash: createHash('sha256')
          .update(`${value('client_id')}:${value('client_secret')}`)
          .digest('hex'),
        refresh_token: value('refresh_token'),
        pin: value('pin'),
      }),
    })
    const { access_token: accessToken } = (await reply.json()) as { access_token: string }
    const put = {
      Name: `${path}/access_token`,
      Value: accessToken,
      Type: 'SecureString',
      Overwrite: true,
    } as const
    await ssm.send(new PutParameterCommand(put))
  }
  return { refreshed: event.accounts?.length ?? 1 }
}
