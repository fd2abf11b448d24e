import type { DatabaseSync } from 'node:sqlite'

type Customer = readonly [id: string, name: string, email: string, plan: string, locale: string, currency: string, status: string]
type Invoice = readonly [
  id: string,
  customerId: string,
  number: string,
  amountMinor: number,
  state: string,
  billingAddress: string,
]

const SEEDED_AT = '2025-11-03T08:00:00.000Z'

const CUSTOMERS: readonly Customer[] = [
  ['c-101', 'Aoife Byrne', 'aoife.byrne@harbour.example', 'team', 'en-IE', 'EUR', 'active'],
  ['c-102', 'Jonas Weber', 'jonas.weber@weberholz.example', 'team', 'de-DE', 'EUR', 'active'],
  ['c-103', 'Claire Fontaine', 'claire@atelier-fontaine.example', 'business', 'fr-FR', 'EUR', 'active'],
  ['c-104', '李秀英', 'li.xiuying@hangzhou-chaye.example', 'business', 'zh-CN', 'CNY', 'active'],
  ['c-105', 'Marco Rinaldi', 'marco.rinaldi@norte.example', 'business', 'it-IT', 'EUR', 'active'],
  ['c-106', 'Sofia Almeida', 'sofia.almeida@norte.example', 'business', 'pt-PT', 'EUR', 'active'],
  ['c-107', 'Piotr Zieliński', 'piotr@zielinski.example', 'team', 'pl-PL', 'EUR', 'active'],
  ['c-108', 'Eva Novak', 'eva.novak@kvarner.example', 'business', 'hr-HR', 'EUR', 'active'],
  ['c-109', 'Tomás Herrera', 'tomas.herrera@bounce.example', 'team', 'es-ES', 'EUR', 'active'],
  ['c-110', '王小明', 'wang.xiaoming@suzhou-jingmi.example', 'team', 'zh-CN', 'CNY', 'active'],
  ['c-111', 'Lotte de Vries', 'lotte@devries-fietsen.example', 'team', 'nl-NL', 'EUR', 'active'],
  ['c-112', '陈嘉怡', 'chen.jiayi@shenzhen-haiyun.example', 'enterprise', 'zh-CN', 'CNY', 'active'],
  ['c-113', 'Henrik Aalto', 'henrik@aalto.example', 'team', 'fi-FI', 'EUR', 'closed'],
]

const INVOICES: readonly Invoice[] = [
  ['inv-5001', 'c-101', '2025-0501', 12_900, 'paid', '4 Quay Street, Galway H91 XY23, Ireland'],
  ['inv-5002', 'c-102', '2025-0502', 23_800, 'issued', 'Lindenstraße 12, 10969 Berlin, Germany'],
  ['inv-5003', 'c-103', '2025-0503', 48_000, 'paid', '18 rue des Lilas, 69003 Lyon, France'],
  ['inv-5004', 'c-103', '2025-0504', 48_000, 'paid', '18 rue des Lilas, 69003 Lyon, France'],
  ['inv-5005', 'c-104', '2025-0505', 199_900, 'paid', '浙江省杭州市西湖区文三路 90 号'],
  ['inv-5006', 'c-105', '2025-0506', 64_000, 'paid', 'Rua do Norte 7, 4000-120 Porto, Portugal'],
  ['inv-5007', 'c-106', '2025-0507', 31_500, 'issued', 'Rua do Norte 7, 4000-120 Porto, Portugal'],
  ['inv-5008', 'c-106', '2025-0508', 125_000, 'paid', 'Rua do Norte 7, 4000-120 Porto, Portugal'],
  ['inv-5009', 'c-107', '2025-0509', 9_900, 'void', 'ul. Długa 5, 31-147 Kraków, Poland'],
  ['inv-5010', 'c-108', '2025-0510', 87_000, 'paid', 'Korzo 11, 51000 Rijeka, Croatia'],
  ['inv-5011', 'c-109', '2025-0511', 15_600, 'issued', 'Calle Mayor 30, 28013 Madrid, Spain'],
  ['inv-5012', 'c-110', '2025-0512', 49_900, 'paid', '江苏省苏州市工业园区星湖街 328 号'],
  ['inv-5013', 'c-111', '2025-0513', 3_600, 'paid', 'Oudegracht 211, 3511 NG Utrecht, Netherlands'],
  ['inv-5014', 'c-113', '2025-0514', 3_600, 'paid', 'Aleksanterinkatu 2, 00100 Helsinki, Finland'],
]

/** More than a list shows without a limit of its own: whoever adds up the first page is wrong (ticket t-1012). */
const LONG_LIST = { customerId: 'c-112', count: 130, amountMinor: 100_000, billingAddress: '广东省深圳市南山区科技园南路 8 号' }

/** Writes the same customers and invoices every time; those that exist stay as they are. */
export function seed(db: DatabaseSync): void {
  const addCustomer = db.prepare('INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING')
  const addInvoice = db.prepare(`INSERT INTO invoices
    SELECT ?1, c.id, ?3, ?4, c.currency, ?5, ?6, 1, '${SEEDED_AT}' FROM customers c WHERE c.id = ?2 ON CONFLICT (id) DO NOTHING`)
  for (const customer of CUSTOMERS) addCustomer.run(...customer)
  for (const invoice of INVOICES) addInvoice.run(...invoice)
  for (let index = 1; index <= LONG_LIST.count; index += 1) {
    const { customerId, amountMinor, billingAddress } = LONG_LIST
    const state = index % 10 === 0 ? 'issued' : 'paid'
    addInvoice.run(`inv-${6000 + index}`, customerId, `2025-${6000 + index}`, amountMinor + index * 100, state, billingAddress)
  }
}
