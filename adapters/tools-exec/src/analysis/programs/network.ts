import type { Program, ProgramTable } from '../program.ts'

const CONFIGURES: Program = { categories: ['system-path'], operands: 'text', mutability: 'write' }
const CLIENT: Program = { categories: ['network-client'], reach: 'network' }

/** Programs whose business is the network. */
export const NETWORK: ProgramTable = {
  curl: {
    ...CLIENT,
    takes: {
      text: '-X -H -A -e -u -m -r -w -b --request --header --user-agent --user --max-time --connect-timeout --retry --write-out --data-urlencode',
      write: '-o -D -c --output --dump-header --cookie-jar --output-dir --trace --trace-ascii --stderr --libcurl --etag-save',
      read: '-T -K -E --upload-file --config --cert --key --cacert --netrc-file --unix-socket',
      scan: '-d -F --data --data-binary --form --data-raw --json -x --proxy --resolve',
    },
    operands: 'scan',
    mutability: 'write',
    isClient:
      '-s -S -f -i -I -v -k -L -X -H -d -o -w -m --silent --show-error --fail --include --head --verbose --request --header --data --data-raw --json --output --write-out --max-time --retry --retry-delay --retry-connrefused --connect-timeout',
  },
  'wget wget2 aria2c axel lynx links elinks w3m http https httpie xh hurl youtube-dl yt-dlp curlie': {
    ...CLIENT,
    takes: {
      text: '-t -T -U --header --user --password --timeout --tries',
      write: '-O -o -a -P --output-document --output-file',
      read: '-i --post-file --body-file --input-file',
      command: '--use-askpass',
    },
    operands: 'scan',
    mutability: 'write',
  },
  'nc ncat netcat nc.openbsd nc.traditional socat cryptcat pwncat sbd': {
    categories: ['network-client', 'remote-shell'],
    reach: 'network',
    takes: { command: '-c --sh-exec', argv: '-e --exec', text: '-w -p -s -i -q' },
    operands: 'text',
    mutability: 'write',
  },
  'telnet ftp tftp lftp ncftp sftp-server rlogin rsh rexec finger whois gopher irssi weechat mosh et': {
    ...CLIENT,
    takes: { command: '-e -c', scan: '-f' },
    operands: 'text',
    mutability: 'write',
  },
  'ssh slogin autossh sshpass dropbear dbclient plink': {
    categories: ['network-client', 'remote-shell'],
    reach: 'network',
    style: 'posix',
    takes: { text: '-l -p -b -c -D -L -R -W -m -e -w -J -Q -B -O', read: '-i -F -I -S -E', setting: '-o' },
    operands: 'text',
    settings: /^(?:StrictHostKeyChecking|BatchMode|ConnectTimeout|ServerAliveInterval|UserKnownHostsFile|LogLevel)=/i,
    mutability: 'write',
  },
  'ssh-keygen': {
    unless: '-l',
    categories: ['credential-path'],
    operands: 'scan',
    takes: { text: '-t -b -C -N -D -I -w', write: '-f' },
    mutability: 'write',
  },
  'ssh-add ssh-agent ssh-copy-id ssh-keyscan': {
    categories: ['credential-path'],
    operands: 'scan',
    takes: { text: '-t -b -C -N -D -I -w', write: '-f' },
    mutability: 'write',
  },
  'ping ping6 traceroute traceroute6 tracepath mtr dig nslookup host drill resolvectl nmap masscan zmap arping hping3 iperf iperf3 ab wrk hey k6 vegeta siege locust websocat grpcurl httping':
    {
      ...CLIENT,
      operands: 'text',
    },
  'tcpdump tshark wireshark dumpcap ngrep': {
    categories: ['network-server', 'privilege'],
    operands: 'text',
    takes: { write: '-w', command: '-z' },
  },
  ip: {
    style: 'posix',
    verbs: Object.fromEntries(
      'a addr address l link r route n neigh rule maddr'
        .split(' ')
        .map((verb): [string, Program] => [
          verb,
          { verbs: { show: { operands: 'text' }, list: { operands: 'text' }, ls: { operands: 'text' } }, otherwise: CONFIGURES },
        ]),
    ),
    otherwise: CONFIGURES,
  },
  'ifconfig route iptables ip6tables nft ufw firewall-cmd arp brctl ethtool iw iwconfig nmcli wg wg-quick openvpn tailscale': {
    categories: ['system-path'],
    operands: 'text',
    mutability: 'write',
  },
  'ss netstat': { operands: 'text', marks: { '-K': { categories: ['process-control'] } } },
  'ngrok cloudflared localtunnel lt bore frpc frps chisel gost proxychains proxychains4 torsocks tor torify stunnel sshuttle redsocks':
    {
      categories: ['network-client', 'remote-shell'],
      reach: 'network',
      operands: 'scan',
      mutability: 'write',
    },
  'sendmail mail mailx mutt msmtp swaks ssmtp exim postfix': { ...CLIENT, operands: 'text', mutability: 'write' },
  'aws gcloud gsutil az doctl aliyun oci ibmcloud linode-cli heroku flyctl fly vercel netlify railway wrangler firebase supabase s3cmd mc bq sam cdk serverless sls gh glab hub tea jira linear op bw stripe twilio sentry-cli':
    {
      ...CLIENT,
      operands: 'scan',
      mutability: 'write',
    },
  nginx: {
    unless: '-t -T -v -V',
    categories: ['network-server'],
    reach: 'network',
    takes: { read: '-c -p' },
    operands: 'scan',
    mutability: 'write',
  },
  'apache2 httpd caddy haproxy lighttpd varnishd dnsmasq named sshd smbd vsftpd redis-server postgres mysqld mongod rabbitmq-server memcached':
    {
      categories: ['network-server'],
      reach: 'network',
      operands: 'scan',
      mutability: 'write',
    },
  'http-server serve live-server json-server': { categories: ['network-server'], reach: 'network', operands: 'scan' },
  'smbclient rpcclient mount.cifs nfsstat showmount ldapsearch ldapmodify snmpwalk snmpget ipmitool mosquitto_pub mosquitto_sub kafkacat kcat':
    { ...CLIENT, operands: 'text', mutability: 'write' },
}
