import { isBrokenJwt } from '../../model/expiry/jwt.ts'
import type { Secret } from '../../model/secrets/secret.ts'

/**
 * What is wrong with a token somebody copied from a header, a file or a reply, and how to correct it;
 * `undefined` where nothing is seen. Looks at the text alone, before any broker is asked, and does not repeat
 * it.
 */
export function slipIn(token: Secret): { readonly what: string; readonly fix: string } | undefined {
  const text = token.reveal().trim()
  if (/^(["'`]).*\1$/s.test(text) || /^[\u201c\u2018]/.test(text)) {
    return { what: 'it stands in quotes', fix: 'leave the quotes out' }
  }
  if (/^(bearer|token|authorization:?)\s/i.test(text)) {
    return {
      what: 'it begins with a word of the header',
      fix: 'leave out everything before the token itself',
    }
  }
  if (/^[A-Za-z_]\w*=[^=]/.test(text)) {
    return { what: 'it begins with a name', fix: 'leave out the name and the equals sign' }
  }
  // The form of FYERS' header, and any JWT behind a colon.
  if (/^[A-Za-z0-9]+-\d+:/.test(text) || /^[^:]+:eyJ/.test(text)) {
    return { what: 'the app id stands before it', fix: 'leave out the app id and the colon' }
  }
  if (isBrokenJwt(token)) return { what: 'it was cut off or changed on the way', fix: 'copy it again, whole' }
  return undefined
}
