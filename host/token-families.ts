/** One kind of secret that can be told by its form alone, or by the words right before it. */
interface Family {
  name: string
  /** Global. Where it has a group, the group alone is the secret. */
  pattern: RegExp
}

/**
 * Begins where no letter or digit goes before, or an escape such as `\n` does. Every pattern here is linear: what repeats
 * without a bound is either the last thing in it, or cannot begin again inside of itself.
 */
const begin = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))`
/** The same for what has parts behind its first long run: it begins only where that run does. */
const alone = String.raw`(?:(?<![\w-])|(?<=\\[nrt]))`
const end = '(?![A-Za-z0-9])'
/** Somewhere in the next signs stand a digit and a capital: a key has them, `sk-fading-circle` has not. */
const mixed = String.raw`(?=[\w-]{0,40}\d)(?=[\w-]{0,40}[A-Z])`

function family(name: string, ...forms: string[]): Family {
  return { name, pattern: new RegExp(forms.join('|'), 'g') }
}

/** Told by their own form, wherever they stand. */
export const families: Family[] = [
  family('GitHub token', 'gh[pousr]_[A-Za-z0-9]{20,}', 'github_pat_[A-Za-z0-9_]{20,}'),
  family('GitLab token', String.raw`${begin}gl(?:pat|dt|rt|oas|cbt|ptt|ft|imt|agent|soat|ffct)-[\w-]{18,}`),
  family('AWS key', `${begin}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}${end}`),
  family('Slack token', 'xox[abeoprs]-[A-Za-z0-9-]{10,}', String.raw`xapp-\d-[A-Za-z0-9-]{10,}`),
  family('Slack webhook', String.raw`hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{16,}`),
  family('Stripe key', `${begin}(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}`, `${begin}whsec_[A-Za-z0-9+/=]{24,}`),
  family(
    'Google key',
    String.raw`${begin}AIza[\w-]{30,}`,
    String.raw`${begin}ya29\.[\w-]{20,}`,
    String.raw`${begin}1//0[\w-]{30,}`,
    String.raw`${begin}GOCSPX-[\w-]{20,}`,
  ),
  family('Anthropic key', String.raw`${begin}sk-ant-[\w-]{16,}`),
  family(
    'OpenAI key',
    String.raw`${begin}sk-(?:proj|svcacct|admin)-[\w-]{20,}`,
    String.raw`${begin}sk-${mixed}[\w-]{20,}`,
    `${begin}sk-[0-9a-f]{32}${end}`,
  ),
  family('npm token', `${begin}npm_[A-Za-z0-9]{30,}`),
  family('PyPI token', String.raw`${begin}pypi-${mixed}[\w-]{40,}`),
  family('Docker token', String.raw`dckr_(?:pat|oat)_[\w-]{16,}`),
  family('Hugging Face token', `${begin}hf_[A-Za-z0-9]{30,}`),
  family('Twilio key', `${begin}(?:SK|AC)[0-9a-f]{32}${end}`),
  family('SendGrid key', String.raw`${alone}SG\.[\w-]{16,64}\.[\w-]{16,}`),
  family('Mailgun key', `${alone}key-[0-9a-z]{32}${end}`),
  family('Telegram token', String.raw`${begin}\d{8,10}:AA[\w-]{30,}`),
  family(
    'Discord token',
    String.raw`${alone}[MNO][\w-]{22,28}\.[\w-]{6}\.[\w-]{27,}`,
    String.raw`discord(?:app)?\.com/api/webhooks/\d{5,30}/[\w-]{20,}`,
  ),
  family('DigitalOcean token', 'do[oprt]_v1_[0-9a-f]{40,}'),
  family('Heroku key', String.raw`HRKU-[\w-]{30,}`),
  family('JSON web token', String.raw`${alone}eyJ[\w-]{8,4096}\.[\w-]{8,8192}\.[\w-]{8,}`),
  family('ntfy token', `${begin}tk_[A-Za-z0-9]{24,}`),
  family('Vault token', String.raw`${begin}hv[brs]\.[\w-]{24,}`),
  family('Shopify token', 'shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}'),
  family('Square token', String.raw`${begin}sq0[a-z]{3}-[\w-]{22,}`),
  family('Atlassian token', String.raw`ATATT3[\w=-]{50,}`),
  family('Grafana token', 'glsa_[A-Za-z0-9]{32}', `${begin}glc_[A-Za-z0-9+/=]{32,}`),
  family('Databricks token', `${begin}dapi[0-9a-f]{32}`),
  family('Linear key', 'lin_(?:api|oauth)_[A-Za-z0-9]{32,}'),
  family('Notion token', `${begin}ntn_[A-Za-z0-9]{40,}`, `${begin}secret_[A-Za-z0-9]{43}${end}`),
  family('New Relic key', 'NRAK-[A-Z0-9]{27}'),
  family('Sentry token', 'sntry[su]_[A-Za-z0-9+/=_-]{40,}'),
  family('Supabase token', `${begin}sbp_[0-9a-f]{40}`),
  family('PlanetScale token', String.raw`pscale_(?:tkn|pw|oauth)_[\w.-]{30,}`),
  family('Terraform token', String.raw`(?<![\w.])[A-Za-z0-9]{14}\.atlasv1\.[\w-]{50,}`),
  family('Doppler token', String.raw`${begin}dp\.(?:pt|st|ct|sa)\.[\w.]{40,}`),
  family('Groq key', `${begin}gsk_[A-Za-z0-9]{40,}`),
  family('xAI key', `${begin}xai-[A-Za-z0-9]{60,}`),
  family('Replicate token', `${begin}r8_[A-Za-z0-9]{36,}`),
  family('Perplexity key', `${begin}pplx-[A-Za-z0-9]{40,}`),
  family('Postman key', 'PMAK-[0-9a-f]{24}-[0-9a-f]{34}'),
  family('RubyGems key', 'rubygems_[0-9a-f]{48}'),
  family('Figma token', String.raw`${begin}fig[dou]r?_[\w-]{36,}`),
  family('Airtable token', String.raw`${alone}pat[A-Za-z0-9]{14}\.[0-9a-f]{40,}`),
  family('Mailchimp key', String.raw`(?<![0-9a-z])[0-9a-f]{32}-us\d{1,2}${end}`),
  family('age key', 'AGE-SECRET-KEY-1[A-Z0-9]{50,}'),
  // What our own one-line texts have cut off: too short to be told by its length, and too long to be shown.
  family(
    'token',
    String.raw`${begin}(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-ant-|sk-proj-|[sr]k_live_|AIza|npm_|hf_)[\w-]{6,}(?=…)`,
  ),
]

/** Told by the words before them. The value is the group. */
export const inContext: Family[] = [
  family(
    'AWS secret key',
    String.raw`(?:[Ss]ecret|SECRET|[Aa]ws|AWS)[\w.-]{0,40}["']?\s{0,3}[:=]\s{0,3}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])`,
  ),
  family(
    'Azure key',
    '(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{30,}={0,2})',
    '[?&]sig=([A-Za-z0-9%+/]{40,}={0,2})',
  ),
  family(
    'Heroku key',
    String.raw`[Hh](?:eroku|EROKU)[\w.\- "':=]{0,40}?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})`,
  ),
  family('password in an address', String.raw`[A-Za-z0-9+.-]://[^\s:@/"'<>]{0,100}:([^\s@/"'<>[\]]{1,256})@`),
  family('password in an address', String.raw`https?://([^\s:@/"'<>[\]]{16,256})@`),
  family('login', String.raw`[Ll]ogin\s{1,3}[^\s"']{1,100}\s{1,3}password\s{1,3}([^\s"']{1,256})`),
  family('npm login', String.raw`_(?:authToken|auth|password)\s{0,3}=\s{0,3}["']?([^\s"'$]{6,512})`),
  family(
    'authorization',
    String.raw`[Aa]uthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:[Bb]asic|[Bb]earer|[Tt]oken|[Dd]igest|[Aa]pi[Kk]ey)\s{1,3}([^\s"',;<>[\]]{6,8192})`,
  ),
]

/** A value that is given a telling name: `password: …`, `API_KEY=…`. Whether it is one is for `isMadeUp` to say. */
export const named =
  /(passwords?|passwd|passphrase|pwd|secrets?|tokens?|bearer|credentials?|(?:api|access|private|signing|encryption|auth|account|client|master)[_-]?key)(?:[_-](?:key|value|base64|b64|prod|dev))?(?:\\?["'`\]]){0,2}(?:[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}|[ \t]{1,4}(?<=bearer[ \t]{1,4}))(?:\\?["'`])?([^\s"'`<>(){}[\],;\\]{8,512})/gi
