# Facts of a Windows host: of WMI where it answers, else of the registry and of .NET. They are gathered
# before all else in most plays, and what they cost there is what PowerShell has to compile. The name of a
# member is compiled for itself, a key (`$facts['x']`) is not, nor are operators that know their types; a
# function is compiled when it is called: what only WMI can tell is in functions of its own. Operators, and
# assignments to keys, are compiled for each pair of types that their sides are written with: variables are
# of one.

$facts = @{ ansible_os_family = 'Windows'; gather_subset = @(); module_setup = $true }

# All objects of a class of WMI, as tables of the properties that are asked for; none where it does not
# answer. It is asked no more then.
function wmi($class, $properties) {
    if ($ioms_task['Silent']) { return }
    # (Wine's takes its caller along.)
    if (-not $Ioms['Windows'] -or (IomsWine)) { $ioms_task['Silent'] = $true } else { wmi_asked $class $properties }
}

function wmi_asked($class, $properties) {
    [void][Reflection.Assembly]::LoadWithPartialName('System.Management')
    try {
        $searcher = New-Object Management.ManagementObjectSearcher ('SELECT ' + [string]::Join(', ', $properties) + " FROM $class")
        $searcher.Options.Timeout = [TimeSpan]::FromSeconds([int]$p.gather_timeout)
        foreach ($one in $searcher.Get()) {
            $table = @{}
            foreach ($name in $properties) { $table[$name] = $one[$name] }
            $table
        }
    } catch { $ioms_task['Silent'] = $true }
}

# A value of HKLM; $null where it is not.
function machine($path, $name) {
    if (-not $Ioms['Windows']) { return $null }
    try { [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$path", $name, $null) } catch { $null }
}
# Whether there is such a key.
function machine_has($path) { $Ioms['Windows'] -and $null -ne [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$path", '', 'there') }

# Two calls that .NET 2 doesn't offer: memory, and the time since the start.
function kernel {
    if (-not $Ioms['Kernel']) {
        $Ioms['Kernel'] = IomsCalls 'IomsKernel' @(@('GlobalMemoryStatusEx', 'kernel32.dll', [bool], [type[]]@([long[]])), @('GetTickCount64', 'kernel32.dll', [long], [type[]]@()))
    }
    $Ioms['Kernel']
}

# Times as texts, and division without a rest of $number and $more.
function shown($format, $times) { [string]::Format($ioms_task['Invariant'], $format, [object[]]@($times)) }
function whole($number, $more, $by) {
    $number += $more
    ($number - $number % $by) / $by
}

function facts_distribution {
    $current = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $os = @(wmi Win32_OperatingSystem @('Caption', 'Version', 'ProductType', 'InstallDate', 'LastBootUpTime', 'RegisteredUser', 'OSArchitecture', 'Description', 'SizeStoredInPagingFiles', 'FreeSpaceInPagingFiles'))[0]
    $ioms_task['Os'] = $os
    $version = "$([Environment]::OSVersion.Version)"
    $caption = machine $current 'ProductName'
    $type = @{ WinNT = 'workstation'; ServerNT = 'server'; LanmanNT = 'domain_controller' }["$(machine 'SYSTEM\CurrentControlSet\Control\ProductOptions' 'ProductType')"]
    $installed = machine $current 'InstallDate'
    if ($null -ne $os) { $version, $caption, $type = wmi_distribution $os $version $caption }
    $facts['ansible_distribution'] = $caption
    $facts['ansible_os_name'] = $caption
    $facts['ansible_distribution_version'] = $version
    $facts['ansible_distribution_major_version'] = ($version -split '\.')[0]
    $facts['ansible_os_product_type'] = $type
    $facts['ansible_os_installation_type'] = machine $current 'InstallationType'
    $facts['ansible_os_install_date'] = $null
    if ($installed) { $facts['ansible_os_install_date'] = shown '{0:yyyy-MM-ddTHH:mm:ssZ}' (New-Object DateTime 1970, 1, 1).AddSeconds($installed) }
}

function wmi_distribution($os, $version, $caption) {
    if ($os['Version']) { $version = $os['Version'] + '.0' }
    if ($os['Caption']) { $caption = $os['Caption'].Trim() }
    $version
    $caption
    @{ 1 = 'workstation'; 2 = 'domain_controller'; 3 = 'server' }[[int]$os['ProductType']]
}

function facts_platform {
    $os = $ioms_task['Os']
    $network = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $name = $network.HostName
    $domain = "$($network.DomainName)"
    $facts['ansible_hostname'] = $name
    $facts['ansible_domain'] = $domain
    $facts['ansible_fqdn'] = $name
    if ($domain) { $facts['ansible_fqdn'] = "$name.$domain" }
    $facts['ansible_nodename'] = $facts['ansible_fqdn']
    $facts['ansible_netbios_name'] = [Environment]::MachineName
    $system = [Environment]::OSVersion
    $facts['ansible_system'] = "$($system.Platform)"
    $facts['ansible_kernel'] = "$($system.Version)"
    $facts['ansible_machine_id'] = machine_sid
    $facts['ansible_owner_name'] = "$(machine 'SOFTWARE\Microsoft\Windows NT\CurrentVersion' 'RegisteredOwner')"
    $facts['ansible_owner_contact'] = ''
    $facts['ansible_system_description'] = "$(machine 'SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters' 'srvcomment')"
    $facts['ansible_system_vendor'] = machine 'HARDWARE\DESCRIPTION\System\BIOS' 'SystemManufacturer'
    $bits = "$(machine 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment' 'PROCESSOR_ARCHITECTURE')"
    if (-not $bits) { $bits = "$env:PROCESSOR_ARCHITECTURE" }
    $facts['ansible_architecture'] = @{ AMD64 = '64-bit'; x86 = '32-bit'; ARM64 = 'ARM 64-bit'; IA64 = '64-bit' }[$bits]
    if ($null -ne $os -and $os['OSArchitecture']) { $facts['ansible_architecture'] = $os['OSArchitecture'] }
    $facts['ansible_architecture2'] = @{ AMD64 = 'x86_64'; x86 = 'i386'; ARM64 = 'arm64'; IA64 = 'ia64' }[$bits]
    $facts['ansible_reboot_pending'] = reboot_pending
    $cs = @(wmi Win32_ComputerSystem @('Domain', 'PartOfDomain', 'DomainRole', 'PrimaryOwnerContact', 'Manufacturer', 'Model'))[0]
    $facts['ansible_windows_domain'] = $domain
    $member = $false
    $facts['ansible_windows_domain_member'] = $member
    $facts['ansible_windows_domain_role'] = 'Stand-alone workstation'
    if ($facts['ansible_os_product_type'] -ne 'workstation') { $facts['ansible_windows_domain_role'] = 'Stand-alone server' }
    $ioms_task['Maker'] = "$($facts['ansible_system_vendor'])"
    if ($null -ne $cs) { wmi_platform $cs }
}

function wmi_platform($cs) {
    $facts['ansible_windows_domain'] = $cs['Domain']
    $facts['ansible_windows_domain_member'] = [bool]$cs['PartOfDomain']
    $facts['ansible_windows_domain_role'] = @('Stand-alone workstation', 'Member workstation', 'Stand-alone server', 'Member server', 'Backup domain controller', 'Primary domain controller')[[int]$cs['DomainRole']]
    $facts['ansible_owner_contact'] = [string]$cs['PrimaryOwnerContact']
    if ($cs['Manufacturer']) { $ioms_task['Maker'] = $cs['Manufacturer'] }
}

# The domain part of local accounts' numbers, by one of them: by this one where it is local.
function machine_sid {
    $machine = [Environment]::MachineName
    $name = ''
    $own = $null
    try {
        $me = [Security.Principal.WindowsIdentity]::GetCurrent()
        $name = $me.Name
        $own = $me.User.AccountDomainSid
    } catch { }
    if (($name -split '\\')[0] -ne $machine) {
        try { $own = (New-Object Security.Principal.NTAccount "$machine\Administrator").Translate([Security.Principal.SecurityIdentifier]).AccountDomainSid } catch { }
    }
    if ($null -ne $own) { "$own" }
}

function reboot_pending {
    if (-not $Ioms['Windows']) { return $false }
    foreach ($path in 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending', 'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired') {
        if (machine_has $path) { return $true }
    }
    [bool](machine 'SYSTEM\CurrentControlSet\Control\Session Manager' 'PendingFileRenameOperations')
}

function facts_bios {
    $bios = 'HARDWARE\DESCRIPTION\System\BIOS'
    $facts['ansible_bios_date'] = machine $bios 'BIOSReleaseDate'
    $facts['ansible_bios_version'] = machine $bios 'BIOSVersion'
    $facts['ansible_product_name'] = machine $bios 'SystemProductName'
    $facts['ansible_product_serial'] = $null
    $facts['ansible_product_uuid'] = $null
    $product = @(wmi Win32_ComputerSystemProduct @('Name', 'IdentifyingNumber', 'UUID'))[0]
    if ($null -ne $product) {
        $facts['ansible_product_serial'] = $product['IdentifyingNumber']
        $facts['ansible_product_uuid'] = $product['UUID']
        if (-not $facts['ansible_product_name']) { $facts['ansible_product_name'] = $product['Name'] }
    }
    $facts['ansible_virtualization_role'] = 'NA'
    $facts['ansible_virtualization_type'] = 'NA'
    $model = "$($ioms_task['Maker']) $($facts['ansible_product_name'])"
    foreach ($kind in ('VMware', 'VMware'), ('VirtualBox', 'VirtualBox'), ('Microsoft Corporation Virtual Machine', 'Hyper-V'), ('Xen', 'Xen'), ('KVM', 'kvm'), ('QEMU', 'kvm'), ('Amazon', 'Amazon'), ('Google', 'Google'), ('Alibaba', 'Alibaba'), ('Tencent', 'Tencent')) {
        if ($model -like "*$($kind[0])*") { $facts['ansible_virtualization_role'] = 'guest'; $facts['ansible_virtualization_type'] = $kind[1]; break }
    }
}

function facts_hardware {
    $os = $ioms_task['Os']
    $total = $free = 0L
    if ($Ioms['Windows']) {
        # MEMORYSTATUSEX: its length and the load, 32 bits each, then numbers of 64 bits.
        $status = [long[]](64, 0, 0, 0, 0, 0, 0, 0)
        if ((kernel)::GlobalMemoryStatusEx($status)) {
            $total = $status[1]
            $free = $status[2]
        }
    }
    $facts['ansible_memtotal_mb'] = whole $total 1048575L 1048576L
    $facts['ansible_memfree_mb'] = whole $free 1048575L 1048576L
    $none = 0
    $facts['ansible_swaptotal_mb'] = $none
    $facts['ansible_pagefiletotal_mb'] = $null
    $facts['ansible_pagefilefree_mb'] = $null
    $names = @()
    for ($number = 0; $true; $number++) {
        $processor = "HARDWARE\DESCRIPTION\System\CentralProcessor\$number"
        if (-not (machine_has $processor)) { break }
        $names += "$number", "$(machine $processor 'VendorIdentifier')", ("$(machine $processor 'ProcessorNameString')").Trim()
    }
    $facts['ansible_processor'] = $names
    $count = [Environment]::ProcessorCount
    $facts['ansible_processor_vcpus'] = $count
    $cpus = @(wmi Win32_Processor @('NumberOfCores', 'NumberOfLogicalProcessors'))
    $one = 1
    $facts['ansible_processor_count'] = $one
    $facts['ansible_processor_cores'] = $count
    $facts['ansible_processor_threads_per_core'] = $one
    if ($cpus -or $null -ne $os) { wmi_hardware $os $cpus }
    # (Environment.TickCount turns over after 49 days.)
    if ($Ioms['Windows']) { $up = (kernel)::GetTickCount64() } else { $up = [Environment]::TickCount }
    $facts['ansible_uptime_seconds'] = whole $up 500L 1000L
    $now = [DateTime]::Now
    $facts['ansible_lastboot'] = shown '{0:u}' $now.AddMilliseconds(-$up)
}

function wmi_hardware($os, $cpus) {
    if ($null -ne $os) {
        $facts['ansible_pagefiletotal_mb'] = [long][Math]::Round([double]$os['SizeStoredInPagingFiles'] / 1024)
        $facts['ansible_pagefilefree_mb'] = [long][Math]::Round([double]$os['FreeSpaceInPagingFiles'] / 1024)
    }
    if (-not $cpus.Length) { return }
    $facts['ansible_processor_count'] = $cpus.Length
    if ($cpus[0]['NumberOfCores']) {
        $facts['ansible_processor_cores'] = [int]$cpus[0]['NumberOfCores']
        $facts['ansible_processor_threads_per_core'] = [int]([int]$cpus[0]['NumberOfLogicalProcessors'] / [int]$cpus[0]['NumberOfCores'])
    }
}

function facts_network {
    $ips = @()
    $interfaces = @()
    foreach ($card in [Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces()) {
        if ("$($card.NetworkInterfaceType)" -eq 'Loopback' -or "$($card.OperationalStatus)" -ne 'Up') { continue }
        $of = $card.GetIPProperties()
        $v4 = @{}
        $v6 = @{}
        foreach ($one in $of.UnicastAddresses) {
            $text = ("$($one.Address)" -split '%')[0]
            $ips += $text
            if ($text -like '*:*') { if (-not $v6['address']) { $v6['address'] = $text } }
            elseif (-not $v4['address']) { $v4['address'] = $text; $v4['netmask'] = "$($one.IPv4Mask)" }
        }
        $gateway = $null
        foreach ($one in $of.GatewayAddresses) { if (-not $gateway -and "$($one.Address)" -ne '0.0.0.0') { $gateway = "$($one.Address)" } }
        $index = $null
        try { $index = $of.GetIPv4Properties().Index } catch { }
        $mac = "$($card.GetPhysicalAddress())" -split '(..)' -ne '' -join ':'
        $interface = @{ connection_name = $card.Name; interface_name = $card.Description; interface_index = $index; default_gateway = $gateway
            macaddress = $mac; dns_domain = "$($of.DnsSuffix)"; ipv4 = $v4; ipv6 = $v6 }
        try { $interface['speed'] = whole $card.Speed 500000L 1000000L } catch { }
        $interfaces += $interface
    }
    $facts['ansible_ip_addresses'] = $ips
    $facts['ansible_interfaces'] = $interfaces
}

function facts_date_time {
    $now = [DateTime]::Now
    $utc = $now.ToUniversalTime()
    $date, $day, $month, $year, $hour, $minute, $second, $time, $weekday, $long, $short, $offset, $iso, $micro = (shown ('{0:yyyy-MM-dd}|{0:dd}|{0:MM}|{0:yyyy}|{0:HH}|{0:mm}|{0:ss}|{0:HH:mm:ss}|{0:dddd}' +
        '|{0:yyyyMMddTHHmmssffffff}|{0:yyyyMMddTHHmmss}|{0:zzz}|{1:yyyy-MM-ddTHH:mm:ssZ}|{1:yyyy-MM-ddTHH:mm:ss.ffffffZ}') @($now, $utc)) -split '\|'
    # (The invariant culture speaks English.)
    $number, $to_sunday = @{ Sunday = 0, 0; Monday = 1, 6; Tuesday = 2, 5; Wednesday = 3, 4; Thursday = 4, 3; Friday = 5, 2; Saturday = 6, 1 }[$weekday]
    $epoch = whole $utc.Ticks -621355968000000000L 10000000L
    $facts['ansible_date_time'] = @{
        date = $date; day = $day; month = $month; year = $year; hour = $hour; minute = $minute; second = $second; time = $time
        weekday = $weekday; weekday_number = "$number"; weeknumber = "$(whole $now.DayOfYear $to_sunday 7)"
        epoch = "$epoch"; epoch_int = $epoch; iso8601 = $iso; iso8601_micro = $micro; iso8601_basic = $long; iso8601_basic_short = $short
        tz = [TimeZone]::CurrentTimeZone.StandardName; tz_offset = $offset -split ':' -join ''
    }
}

function facts_user {
    $facts['ansible_env'] = [Environment]::GetEnvironmentVariables()
    $facts['ansible_user_dir'] = $env:USERPROFILE
    $facts['ansible_user_gecos'] = ''
    $facts['ansible_user_id'] = $env:USERNAME
    $facts['ansible_user_sid'] = $null
    try { $facts['ansible_user_sid'] = "$([Security.Principal.WindowsIdentity]::GetCurrent().User)" } catch { }
    $facts['ansible_powershell_version'] = $PSVersionTable.PSVersion.Major
}

# Custom facts: scripts and JSON files of a folder, each under its own name.
function facts_local {
    if (-not (is_given fact_path)) { return }
    $folder = full $p.fact_path
    if (-not [IO.Directory]::Exists($folder)) { return }
    foreach ($file in [IO.Directory]::GetFiles($folder, '*.ps1')) {
        $name = 'ansible_' + [IO.Path]::GetFileNameWithoutExtension($file)
        $facts[$name] = & ([scriptblock]::Create([IO.File]::ReadAllText($file)))
    }
}

# Which parts are asked for, as Ansible has it: `all`, `min`, names and `!names`.
function facts_wanted {
    $groups = @{
        distribution = 'min', 'distribution'; platform = 'min', 'platform', 'windows_domain'; user = 'min', 'user', 'env', 'powershell_version'
        date_time = 'min', 'date_time'; local = 'min', 'local'; bios = 'hardware', 'bios', 'virtual'
        hardware = 'hardware', 'memory', 'processor', 'uptime'; network = 'network', 'interfaces', 'all_ipv4_addresses', 'all_ipv6_addresses'
    }
    $positive = @()
    $negative = @()
    foreach ($name in @($p['gather_subset'])) { if ("$name" -like '!*') { $negative += ("$name" -split '^!')[1] } else { $positive += "$name" } }
    if (-not $positive) { $positive = @('all') }
    $all = $positive -contains 'all'
    foreach ($part in 'distribution', 'platform', 'bios', 'hardware', 'network', 'date_time', 'user', 'local') {
        $named = $false
        $not = $false
        foreach ($name in $groups[$part]) {
            if ($positive -contains $name) { $named = $true }
            if ($negative -contains $name) { $not = $true }
        }
        $min = $groups[$part][0] -eq 'min' -and $negative -notcontains 'min'
        if ($negative -contains 'all' -and -not $named -and -not $min) { continue }
        if ($not -and -not $named) { continue }
        if ($named -or $all -or $min) { $part }
    }
}
