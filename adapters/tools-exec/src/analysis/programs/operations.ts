import type { Program, ProgramTable } from '../program.ts'

const READ: Program = { operands: 'text', output: 'content' }
const CONTAINER: Program = {
  style: 'posix',
  unless: '--version',
  categories: ['container'],
  reach: 'network',
  operands: 'scan',
  mutability: 'write',
}

function verbs(list: string, program: Program): Record<string, Program> {
  return Object.fromEntries(
    list
      .trim()
      .split(/\s+/)
      .map((verb) => [verb, program]),
  )
}

/** Programs of operators: services, users, containers, clusters. */
export const OPERATIONS: ProgramTable = {
  'docker podman nerdctl buildah skopeo crictl ctr docker-compose podman-compose lxc lxc-attach lxd incus kind minikube k3s k3d machinectl systemd-nspawn runc crun toolbox distrobox docker-machine colima limactl multipass virsh qemu-system-x86_64':
    CONTAINER,
  'kubectl oc k9s kustomize helmfile argocd flux istioctl eksctl kubeadm kubectx kubens stern velero': CONTAINER,
  systemctl: {
    style: 'posix',
    takes: { text: '-t -p -H -M -n -o --type --state --property --lines --output', scan: '--root' },
    marks: { '-H --host': { categories: ['network-client'], reach: 'network' } },
    verbs: {
      ...verbs(
        'status show is-active is-enabled is-failed is-system-running list-units list-unit-files list-timers list-sockets list-dependencies list-jobs cat get-default --version help',
        {
          ...READ,
          takes: { text: '-t -p -n -o' },
        },
      ),
      ...verbs(
        'enable disable link mask unmask preset edit revert set-default add-wants add-requires import-environment set-environment',
        {
          operands: 'text',
          categories: ['persistence', 'process-control'],
          mutability: 'write',
        },
      ),
    },
    otherwise: { operands: 'text', categories: ['process-control'], mutability: 'write' },
  },
  'service initctl rc-service sv supervisorctl pm2 launchctl monit chkconfig update-rc.d': {
    operands: 'text',
    categories: ['process-control'],
    mutability: 'write',
  },
  journalctl: {
    takes: {
      text: '-u -n -p -t -S -U -o -g -b --unit --since --until --lines --priority --output --grep --identifier',
      read: '--file -D --directory --root',
      enter: '-D',
    },
    marks: { '--vacuum-size --vacuum-time --rotate --flush': { mutability: 'destructive', categories: ['destructive'] } },
    operands: 'text',
  },
  'loginctl busctl dbus-send gdbus dbus-monitor udevadm coredumpctl systemd-analyze systemd-cat': {
    operands: 'text',
    categories: ['process-control'],
    mutability: 'write',
  },
  crontab: {
    unless: '-l',
    takes: { text: '-u' },
    marks: { '-l': {}, '-r': { mutability: 'destructive' } },
    operands: 'read',
    categories: ['persistence'],
    mutability: 'write',
  },
  'useradd usermod userdel adduser deluser groupadd passwd chpasswd chsh chfn visudo vipw gpasswd newgrp sg login': {
    operands: 'text',
    categories: ['privilege', 'system-path'],
    mutability: 'write',
  },
  'shutdown reboot halt poweroff init telinit kexec': {
    operands: 'text',
    categories: ['process-control', 'destructive'],
    mutability: 'destructive',
  },
  'insmod modprobe rmmod depmod sysctl': { operands: 'scan', categories: ['privilege'], mutability: 'write' },
  'logrotate update-alternatives ldconfig dpkg-reconfigure debconf-set-selections update-grub': {
    operands: 'scan',
    categories: ['system-path'],
    mutability: 'write',
    takes: { text: '-s' },
  },
  'openclaw claude codex gemini aider opencode goose tidegate clawdbot moltbot cursor-agent': {
    operands: 'text',
    categories: ['agent-config'],
    reach: 'network',
    mutability: 'write',
  },
  'xdg-open open start xclip xsel pbcopy pbpaste wl-copy wl-paste notify-send osascript xdotool': {
    operands: 'scan',
    categories: ['shell-escape'],
  },
  direnv: { operands: 'text', categories: ['execution-hook'] },
}
