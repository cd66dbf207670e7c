import { createHash } from 'node:crypto'

/**
 * The stylesheet, which is inline in every page, so that a page is one request. Dark or light as the reader
 * chose, one column down to 320 px, touch targets of 48 px, no animation.
 */
export const STYLE = `
:root{color-scheme:light dark;--ink:#15191e;--soft:#4a5460;--paper:#f4f6f8;--card:#fff;--line:#c5ccd5;--act:#0b56c2;--on:#fff;--good:#0a6638;--need:#8f4300;--bad:#a8201a;font:100%/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
@media (prefers-color-scheme:dark){:root{--ink:#edf0f4;--soft:#b4bdc8;--paper:#0f1216;--card:#191d23;--line:#3d4651;--act:#9cc4ff;--on:#06234d;--good:#7fdda6;--need:#ffbb7d;--bad:#ffb3aa}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:36rem;padding:1rem 1rem 3rem;background:var(--paper);color:var(--ink);overflow-wrap:anywhere}
header{font-weight:600;color:var(--soft);padding:.25rem 0}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;line-height:1.3;margin:0}
p{margin:.5rem 0}
.lead{font-size:1.1rem}
.soft,small,footer,dt{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1rem;margin:1rem 0}
.first{border-width:2px;border-color:var(--act)}
.state{font-weight:700;margin:.25rem 0 .5rem}
.good{color:var(--good)}
.need{color:var(--need)}
.bad{color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem .75rem;margin:.75rem 0}
dt,dd{margin:0;min-width:0}
ul,ol{padding-left:1.25rem;margin:.5rem 0}
li{margin:.5rem 0}
form{margin:.75rem 0 0}
button,.button{display:flex;align-items:center;justify-content:center;width:100%;min-height:3rem;padding:.6rem 1rem;border:2px solid var(--act);border-radius:.6rem;background:var(--act);color:var(--on);font:inherit;font-weight:700;text-align:center;text-decoration:none;cursor:pointer}
.quiet{background:transparent;color:var(--act)}
a{color:var(--act)}
p>a:only-child{display:inline-block;padding:.65rem 0}
label{display:block;font-weight:600;margin:.75rem 0 .25rem}
input{width:100%;min-height:3rem;padding:.5rem .75rem;border:2px solid var(--soft);border-radius:.6rem;background:var(--card);color:var(--ink);font:inherit}
:focus-visible{outline:3px solid var(--act);outline-offset:3px}
@media (forced-colors:active){button,.button{border:2px solid ButtonText}}
`

/** The name of the stylesheet in the content security policy. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`
