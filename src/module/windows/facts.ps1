# Facts of a Windows host: of WMI where it answers, else of the registry and of .NET.

$facts = @{ ansible_os_family = 'Windows'; gather_subset = @(); module_setup = $true }

# All objects of a class of WMI, as tables of the properties that are asked for; none where it does not
# answer. It is asked no more then.
function wmi($class, $properties) {
    # (Wine's takes its caller along.)
    if ($ioms_task.Silent -or -not $Ioms.Windows -or (IomsWine)) { return }
    [void][Reflection.Assembly]::LoadWithPartialName('System.Management')
    try {
        $searcher = New-Object Management.ManagementObjectSearcher ('SELECT ' + [string]::Join(', ', $properties) + " FROM $class")
        $searcher.Options.Timeout = [TimeSpan]::FromSeconds([int]$p.gather_timeout)
        foreach ($one in $searcher.Get()) {
            $table = @{}
            foreach ($name in $properties) { $table[$name] = $one[$name] }
            $table
        }
    } catch { $ioms_task.Silent = $true }
}

# A value of HKLM; $null where it is not.
function machine($path, $name) {
    if (-not $Ioms.Windows) { return $null }
    try { [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$path", $name, $null) } catch { $null }
}

# Two calls that .NET 2 doesn't offer: memory, and the time since the start.
function kernel {
    if ($Ioms.Kernel) { return $Ioms.Kernel }
    $name = New-Object Reflection.AssemblyName 'IomsKernel'
    $run = [Reflection.Emit.AssemblyBuilderAccess]::Run
    $define = [Reflection.Emit.AssemblyBuilder].GetMethod('DefineDynamicAssembly', [type[]]@([Reflection.AssemblyName], [Reflection.Emit.AssemblyBuilderAccess]))
    if ($define) { $assembly = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly($name, $run) }
    else { $assembly = [AppDomain]::CurrentDomain.DefineDynamicAssembly($name, $run) }
    $type = $assembly.DefineDynamicModule('IomsKernel').DefineType('IomsKernel', 'Public,Class')
    foreach ($call in @('GlobalMemoryStatusEx', [bool], [type[]]@([byte[]])), @('GetTickCount64', [uint64], [type[]]@())) {
        $method = $type.DefinePInvokeMethod($call[0], 'kernel32.dll', 'Public,Static,PinvokeImpl', 'Standard', $call[1], $call[2], 'Winapi', 'Unicode')
        $method.SetImplementationFlags('PreserveSig')
    }
    $Ioms.Kernel = $type.CreateType()
    $Ioms.Kernel
}

function facts_distribution {
    $current = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $os = @(wmi Win32_OperatingSystem @('Caption', 'Version', 'ProductType', 'InstallDate', 'LastBootUpTime', 'RegisteredUser', 'OSArchitecture', 'Description', 'SizeStoredInPagingFiles', 'FreeSpaceInPagingFiles'))[0]
    $ioms_task.Os = $os
    $version = [Environment]::OSVersion.Version.ToString()
    $caption = machine $current 'ProductName'
    $type = @{ WinNT = 'workstation'; ServerNT = 'server'; LanmanNT = 'domain_controller' }[[string](machine 'SYSTEM\CurrentControlSet\Control\ProductOptions' 'ProductType')]
    $installed = machine $current 'InstallDate'
    if ($installed) { $installed = (New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)).AddSeconds([int]$installed) }
    if ($null -ne $os) {
        if ($os.Version) { $version = $os.Version + '.0' }
        if ($os.Caption) { $caption = $os.Caption.Trim() }
        $type = @{ 1 = 'workstation'; 2 = 'domain_controller'; 3 = 'server' }[[int]$os.ProductType]
    }
    $facts.ansible_distribution = $caption
    $facts.ansible_os_name = $caption
    $facts.ansible_distribution_version = $version
    $facts.ansible_distribution_major_version = $version.Split('.')[0]
    $facts.ansible_os_product_type = $type
    $facts.ansible_os_installation_type = machine $current 'InstallationType'
    $facts.ansible_os_install_date = $null
    if ($installed -is [datetime]) { $facts.ansible_os_install_date = $installed.ToString('yyyy-MM-ddTHH:mm:ssZ', $ioms_task.Invariant) }
}

function facts_platform {
    $os = $ioms_task.Os
    $network = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $name = $network.HostName
    $facts.ansible_hostname = $name
    $facts.ansible_domain = [string]$network.DomainName
    $facts.ansible_fqdn = $name
    if ($network.DomainName) { $facts.ansible_fqdn = $name + '.' + $network.DomainName }
    $facts.ansible_nodename = $facts.ansible_fqdn
    $facts.ansible_netbios_name = [Environment]::MachineName
    $facts.ansible_system = [Environment]::OSVersion.Platform.ToString()
    $facts.ansible_kernel = [Environment]::OSVersion.Version.ToString()
    $facts.ansible_machine_id = machine_sid
    $facts.ansible_owner_name = [string](machine 'SOFTWARE\Microsoft\Windows NT\CurrentVersion' 'RegisteredOwner')
    $facts.ansible_owner_contact = ''
    $facts.ansible_system_description = [string](machine 'SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters' 'srvcomment')
    $facts.ansible_system_vendor = machine 'HARDWARE\DESCRIPTION\System\BIOS' 'SystemManufacturer'
    $bits = [string](machine 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment' 'PROCESSOR_ARCHITECTURE')
    if (-not $bits) { $bits = [string]$env:PROCESSOR_ARCHITECTURE }
    $facts.ansible_architecture = @{ AMD64 = '64-bit'; x86 = '32-bit'; ARM64 = 'ARM 64-bit'; IA64 = '64-bit' }[$bits]
    if ($os.OSArchitecture) { $facts.ansible_architecture = $os.OSArchitecture }
    $facts.ansible_architecture2 = @{ AMD64 = 'x86_64'; x86 = 'i386'; ARM64 = 'arm64'; IA64 = 'ia64' }[$bits]
    $facts.ansible_reboot_pending = reboot_pending
    $cs = @(wmi Win32_ComputerSystem @('Domain', 'PartOfDomain', 'DomainRole', 'PrimaryOwnerContact', 'Manufacturer', 'Model'))[0]
    $facts.ansible_windows_domain = [string]$network.DomainName
    $facts.ansible_windows_domain_member = $false
    $facts.ansible_windows_domain_role = 'Stand-alone workstation'
    if ($facts.ansible_os_product_type -ne 'workstation') { $facts.ansible_windows_domain_role = 'Stand-alone server' }
    if ($null -ne $cs) {
        $facts.ansible_windows_domain = $cs.Domain
        $facts.ansible_windows_domain_member = [bool]$cs.PartOfDomain
        $facts.ansible_windows_domain_role = @('Stand-alone workstation', 'Member workstation', 'Stand-alone server', 'Member server', 'Backup domain controller', 'Primary domain controller')[[int]$cs.DomainRole]
        $facts.ansible_owner_contact = [string]$cs.PrimaryOwnerContact
    }
    $ioms_task.Maker = [string]$facts.ansible_system_vendor
    if ($cs.Manufacturer) { $ioms_task.Maker = $cs.Manufacturer }
}

# The domain part of local accounts' numbers, by one of them.
function machine_sid {
    try {
        $sid = (New-Object Security.Principal.NTAccount ([Environment]::MachineName + '\Administrator')).Translate([Security.Principal.SecurityIdentifier])
        return $sid.AccountDomainSid.Value
    } catch { }
    try { return [Security.Principal.WindowsIdentity]::GetCurrent().User.AccountDomainSid.Value } catch { }
    $null
}

function reboot_pending {
    if (-not $Ioms.Windows) { return $false }
    foreach ($path in 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending', 'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired') {
        $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($path)
        if ($null -ne $key) { $key.Close(); return $true }
    }
    [bool](machine 'SYSTEM\CurrentControlSet\Control\Session Manager' 'PendingFileRenameOperations')
}

function facts_bios {
    $bios = 'HARDWARE\DESCRIPTION\System\BIOS'
    $facts.ansible_bios_date = machine $bios 'BIOSReleaseDate'
    $facts.ansible_bios_version = machine $bios 'BIOSVersion'
    $facts.ansible_product_name = machine $bios 'SystemProductName'
    $facts.ansible_product_serial = $null
    $facts.ansible_product_uuid = $null
    $product = @(wmi Win32_ComputerSystemProduct @('Name', 'IdentifyingNumber', 'UUID'))[0]
    if ($null -ne $product) {
        $facts.ansible_product_serial = $product.IdentifyingNumber
        $facts.ansible_product_uuid = $product.UUID
        if (-not $facts.ansible_product_name) { $facts.ansible_product_name = $product.Name }
    }
    $facts.ansible_virtualization_role = 'NA'
    $facts.ansible_virtualization_type = 'NA'
    $model = "$($ioms_task.Maker) $($facts.ansible_product_name)"
    foreach ($kind in @('VMware', 'VMware'), @('VirtualBox', 'VirtualBox'), @('Microsoft Corporation Virtual Machine', 'Hyper-V'), @('Xen', 'Xen'), @('KVM|QEMU', 'kvm'), @('Amazon', 'Amazon'), @('Google', 'Google'), @('Alibaba', 'Alibaba'), @('Tencent', 'Tencent')) {
        if ($model -match $kind[0]) { $facts.ansible_virtualization_role = 'guest'; $facts.ansible_virtualization_type = $kind[1]; break }
    }
}

function facts_hardware {
    $total = [uint64]0
    $free = [uint64]0
    if ($Ioms.Windows) {
        # MEMORYSTATUSEX: its length, the load, then numbers of 64 bits.
        $status = New-Object byte[] 64
        $status[0] = 64
        if ((kernel)::GlobalMemoryStatusEx($status)) {
            $total = [BitConverter]::ToUInt64($status, 8)
            $free = [BitConverter]::ToUInt64($status, 16)
        }
    }
    $facts.ansible_memtotal_mb = [long][Math]::Ceiling($total / 1MB)
    $facts.ansible_memfree_mb = [long][Math]::Ceiling($free / 1MB)
    $facts.ansible_swaptotal_mb = 0
    $facts.ansible_pagefiletotal_mb = $null
    $facts.ansible_pagefilefree_mb = $null
    if ($null -ne $ioms_task.Os) {
        $facts.ansible_pagefiletotal_mb = [long][Math]::Round([double]$ioms_task.Os.SizeStoredInPagingFiles / 1024)
        $facts.ansible_pagefilefree_mb = [long][Math]::Round([double]$ioms_task.Os.FreeSpaceInPagingFiles / 1024)
    }
    $names = @()
    $count = 0
    if ($Ioms.Windows) {
        $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('HARDWARE\DESCRIPTION\System\CentralProcessor')
        if ($null -ne $key) {
            foreach ($number in @($key.GetSubKeyNames() | Sort-Object { [int]$_ })) {
                $one = $key.OpenSubKey($number)
                $names += [string]$count; $names += [string]$one.GetValue('VendorIdentifier'); $names += ([string]$one.GetValue('ProcessorNameString')).Trim()
                $count++
            }
        }
    }
    $facts.ansible_processor = $names
    $facts.ansible_processor_vcpus = [Environment]::ProcessorCount
    $cpus = @(wmi Win32_Processor @('NumberOfCores', 'NumberOfLogicalProcessors'))
    $facts.ansible_processor_count = [Math]::Max(1, $cpus.Length)
    $facts.ansible_processor_cores = [Environment]::ProcessorCount
    $facts.ansible_processor_threads_per_core = 1
    if ($cpus.Length -and $cpus[0].NumberOfCores) {
        $facts.ansible_processor_cores = [int]$cpus[0].NumberOfCores
        $facts.ansible_processor_threads_per_core = [int]([int]$cpus[0].NumberOfLogicalProcessors / [int]$cpus[0].NumberOfCores)
    }
    # (Environment.TickCount turns over after 49 days.)
    if ($Ioms.Windows) { $up = [double](kernel)::GetTickCount64() } else { $up = [double][Environment]::TickCount }
    $facts.ansible_uptime_seconds = [long][Math]::Round($up / 1000)
    $facts.ansible_lastboot = [DateTime]::Now.AddMilliseconds(-$up).ToString('u', $ioms_task.Invariant)
}

function facts_network {
    $ips = @()
    $interfaces = @()
    foreach ($card in [Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces()) {
        if ([string]$card.NetworkInterfaceType -eq 'Loopback' -or [string]$card.OperationalStatus -ne 'Up') { continue }
        $of = $card.GetIPProperties()
        $v4 = @(); $v6 = @()
        foreach ($one in $of.UnicastAddresses) {
            $address = $one.Address
            $text = $address.ToString() -replace '%.*$', ''
            $ips += $text
            if ([string]$address.AddressFamily -eq 'InterNetwork') {
                $mask = ''
                if ($one.IPv4Mask) { $mask = $one.IPv4Mask.ToString() }
                $v4 += @{ address = $text; netmask = $mask }
            } else { $v6 += @{ address = $text } }
        }
        $gateway = $null
        foreach ($one in $of.GatewayAddresses) { if (-not $gateway -and $one.Address.ToString() -ne '0.0.0.0') { $gateway = $one.Address.ToString() } }
        $index = $null
        try { $index = $of.GetIPv4Properties().Index } catch { }
        $mac = ($card.GetPhysicalAddress().ToString() -replace '(..)(?!$)', '$1:')
        $interface = @{ connection_name = $card.Name; interface_name = $card.Description; interface_index = $index; default_gateway = $gateway
            macaddress = $mac; dns_domain = [string]$of.DnsSuffix; ipv6 = @{} }
        $interface.ipv4 = @{}
        if ($v4.Length) { $interface.ipv4 = $v4[0] }
        if ($v6.Length) { $interface.ipv6 = $v6[0] }
        try { $interface.speed = [long]($card.Speed / 1000000) } catch { }
        $interfaces += $interface
    }
    $facts.ansible_ip_addresses = $ips
    $facts.ansible_interfaces = $interfaces
}

function facts_date_time {
    $now = [DateTime]::Now
    $utc = $now.ToUniversalTime()
    $in = $ioms_task.Invariant
    $zone = [TimeZone]::CurrentTimeZone
    $offset = $zone.GetUtcOffset($now)
    $sign = '+'
    if ($offset.Ticks -lt 0) { $sign = '-' }
    $facts.ansible_date_time = @{
        date = $now.ToString('yyyy-MM-dd', $in); day = $now.ToString('dd', $in); month = $now.ToString('MM', $in); year = $now.ToString('yyyy', $in)
        hour = $now.ToString('HH', $in); minute = $now.ToString('mm', $in); second = $now.ToString('ss', $in); time = $now.ToString('HH:mm:ss', $in)
        weekday = $now.ToString('dddd', $in); weekday_number = [string][int]$now.DayOfWeek; weeknumber = [string][int][Math]::Floor(($now.DayOfYear + 6 - ([int]$now.DayOfWeek + 6) % 7) / 7)
        epoch = [string][long][Math]::Floor((seconds $utc)); epoch_int = [long][Math]::Floor((seconds $utc))
        iso8601 = $utc.ToString('yyyy-MM-ddTHH:mm:ssZ', $in); iso8601_micro = $utc.ToString('yyyy-MM-ddTHH:mm:ss.ffffffZ', $in)
        iso8601_basic = $now.ToString('yyyyMMddTHHmmssffffff', $in); iso8601_basic_short = $now.ToString('yyyyMMddTHHmmss', $in)
        tz = $zone.StandardName; tz_offset = $sign + ('{0:00}{1:00}' -f [Math]::Abs($offset.Hours), [Math]::Abs($offset.Minutes))
    }
}

function facts_user {
    $variables = @{}
    foreach ($pair in [Environment]::GetEnvironmentVariables().GetEnumerator()) { $variables[[string]$pair.Key] = [string]$pair.Value }
    $facts.ansible_env = $variables
    $facts.ansible_user_dir = $env:USERPROFILE
    $facts.ansible_user_gecos = ''
    $facts.ansible_user_id = $env:USERNAME
    $facts.ansible_user_sid = $null
    try { $facts.ansible_user_sid = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value } catch { }
    $facts.ansible_powershell_version = $PSVersionTable.PSVersion.Major
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
        distribution = @('min', 'distribution'); platform = @('min', 'platform', 'windows_domain'); user = @('min', 'user', 'env', 'powershell_version')
        date_time = @('min', 'date_time'); local = @('min', 'local'); bios = @('hardware', 'bios', 'virtual')
        hardware = @('hardware', 'memory', 'processor', 'uptime'); network = @('network', 'interfaces', 'all_ipv4_addresses', 'all_ipv6_addresses')
    }
    $asked = @($p.gather_subset | ForEach-Object { [string]$_ })
    if (-not $asked.Length) { $asked = @('all') }
    $positive = @($asked | Where-Object { -not $_.StartsWith('!') })
    $negative = @($asked | Where-Object { $_.StartsWith('!') } | ForEach-Object { $_.Substring(1) })
    foreach ($part in 'distribution', 'platform', 'bios', 'hardware', 'network', 'date_time', 'user', 'local') {
        $names = $groups[$part]
        $all = -not $positive.Length -or $positive -contains 'all'
        $min = $names[0] -eq 'min'
        $named = @($names | Where-Object { $positive -contains $_ }).Length
        $not = @($names | Where-Object { $negative -contains $_ }).Length
        if ($negative -contains 'all' -and -not $named -and -not ($min -and $negative -notcontains 'min')) { continue }
        if ($not -and -not $named) { continue }
        if ($named -or $all -or ($min -and $negative -notcontains 'min')) { $part }
    }
}
