import { expect, test } from 'vitest'
import { type AddressKind, kindOfAddress } from '../src/index.ts'

/** The networks are those of RFC 6890 and its registries; the rest is what clouds add, and ways to write an address that are none. */
const ADDRESSES: Readonly<Record<AddressKind, string>> = {
  loopback: '127.0.0.1 127.255.255.254 127.9.9.9 ::1 0:0:0:0:0:0:0:1',
  public: `8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.1 192.167.0.1 9.255.255.255 11.0.0.0 168.63.129.15 168.63.129.17
    223.255.255.255 2606:4700::1111 2400:3200::1 2001:200::1 2003::1 3ffe:ffff::1`,
  private:
    '10.0.0.0 10.1.2.3 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.0 192.168.1.1 fc00::1 fd00::1 fd12::1 fd00:ec3::254',
  refused: `0.0.0.0 0.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 168.63.129.16 169.254.169.254 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1
    198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 :: ::ffff:8.8.8.8 ::ffff:127.0.0.1 ::ffff:a00:1 ::127.0.0.1
    64:ff9b::8.8.8.8 64:ff9b::808:808 64:ff9b:1::1 100::1 fe80::1 fe80::1%eth0 fec0::1 fd00:ec2::254 ff02::1 2001::1 2001:1ff::1 2001:db8::1
    2002:a00:1::1 2002:7f00:1:: 3fff::1 3fff:fff::1 5f00::1 4000::1 localhost 127.1 0x7f000001 2130706433 010.0.0.1 8.8.8.8/32 ::1/128 [::1] 1.2.3 x`,
}

for (const [kind, addresses] of Object.entries(ADDRESSES))
  test.each(addresses.split(/\s+/))(`%s is ${kind}`, (address) => expect(kindOfAddress(address)).toBe(kind))

test('nothing is not an address, and neither is a blank', () => {
  expect(['', ' ', '8.8.8.8 ', '\n8.8.8.8'].map(kindOfAddress)).toEqual(['refused', 'refused', 'refused', 'refused'])
})
